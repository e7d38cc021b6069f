"""The outside world behind small ports, one module a kind of hardware."""
