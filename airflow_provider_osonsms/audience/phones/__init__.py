"""Phones: ``one`` normalizes a single value, ``column`` a whole column with the same result and much faster.

This file imports nothing: parsing a DAG file imports ``one``; the other modules need pandas.
"""
