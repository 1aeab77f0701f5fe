"""The messages of an audience before they are sent: their texts, their parts and their cost."""
