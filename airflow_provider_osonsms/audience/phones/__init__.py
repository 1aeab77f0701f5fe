"""Phones: one value as people write it (the truth), and whole columns of them (the same, many times as fast).

Nothing is imported here: ``one`` is read when a DAG file is parsed, the others need pandas.
"""
