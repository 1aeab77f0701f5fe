"""The messages of an audience before they are sent: whose text is what, how many parts, at what cost."""
