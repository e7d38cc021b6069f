"""The central service: checks, removes duplicates, decides, splits, books, answers."""
