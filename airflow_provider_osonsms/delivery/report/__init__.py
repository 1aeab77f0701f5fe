"""What became of the messages, as a table for machines and a page for people."""
