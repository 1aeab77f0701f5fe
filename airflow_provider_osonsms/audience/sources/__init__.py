"""Sources of ``recipients``, ``exclude`` and ``only``: tables, lists, CSV and Parquet files, read in chunks.

Callers use `phones.read_phones`, or `readers.read_chunks`, which selects the reader for a kind of source.
"""
