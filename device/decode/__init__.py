"""Decoders: pixels, scanner text and samples become readings."""
