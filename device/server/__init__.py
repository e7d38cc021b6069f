"""The local HTTP side of the terminal: register messages and pages."""
