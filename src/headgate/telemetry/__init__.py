"""Metrics and logs: what a server says of itself, without secrets and without contents."""
