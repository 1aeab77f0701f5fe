"""The four calls: checked, served, refused."""
