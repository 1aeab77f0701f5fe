"""What was spent: read from the tables and receipts that tasks leave behind, for their budget."""
