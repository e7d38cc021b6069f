"""The terminal: drivers, decoders, checkout, journal, uplink and the local pages."""
