"""The text of a message: rendered, normalized, and counted in the parts that it is billed as."""
