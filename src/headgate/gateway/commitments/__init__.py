"""Batches and background responses: their worst case, what providers show of them, their end."""
