"""From nothing to a mall that trusts its terminals: authority, broker, settlement, terminals."""
