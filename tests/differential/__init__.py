"""Comparisons with the real programs, over generated files; each is skipped without its own."""
