"""The audience of a campaign: any table of people, split into recipients and rejects with reasons.

This file imports nothing. Parsing a DAG file imports ``phones.one`` and ``missing``, which need the standard
library only; the other modules need pandas and are imported when a task runs.
"""
