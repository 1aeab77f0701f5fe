"""What may be given as ``recipients`` or ``exclude``: read in chunks, phones first.

`people` is the way in; `chunks` tells the kinds of source apart.
"""
