"""The documentation, and what writes the reference pages from the code."""
