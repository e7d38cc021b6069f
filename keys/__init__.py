"""Signing keys behind one port, and the certificates that vouch for them."""
