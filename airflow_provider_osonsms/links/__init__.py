"""The extra links of this provider."""
