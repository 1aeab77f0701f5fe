"""Bulk jobs (§5): their files, when they go out, and how none is created twice."""
