"""A personal message for everybody of an audience, exactly once: one try, its send loop, its journal."""
