"""The command line, and the mall in a box for tests and demonstrations."""
