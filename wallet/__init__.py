"""A shopper's phone for demonstrations and tests: tokens, sound, pages."""
