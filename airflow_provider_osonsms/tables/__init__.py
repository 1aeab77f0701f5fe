"""The tables that a task leaves behind: their format, written and read in one place. Needs no pandas."""
