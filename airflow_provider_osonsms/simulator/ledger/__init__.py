"""The ledger: accepted messages, bulk jobs and refusals, kept in SQLite."""
