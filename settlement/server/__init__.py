"""The HTTPS side for phones."""
