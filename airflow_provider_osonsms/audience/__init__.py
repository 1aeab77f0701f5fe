"""Who is texted: from any table of people to recipients, rejects with reasons, and bulk files.

Nothing is imported here: ``audience.phones`` needs the standard library only and is read when a DAG file is
parsed, the other modules need pandas and are not.
"""
