"""Who is texted: from any table of people to recipients, rejects with reasons, and bulk files.

Nothing is imported here: ``phones.one`` and ``missing`` need the standard library only and are read when a
DAG file is parsed, the other modules need pandas and are not.
"""
