"""Makes of scanners: their profiles, which are data, and the protocols that they speak."""
