"""The delivery report: a table for machines, a page for people, and the list of undelivered rows."""
