"""What a message says: its text as it is sent, and the parts it is billed in."""
