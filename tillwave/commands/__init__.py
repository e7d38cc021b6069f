"""One module a command of `tillwave`; each joins a room to the command line."""
