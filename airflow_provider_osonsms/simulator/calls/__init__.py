"""The four calls of the protocol: their checks, answers and refusals."""
