"""Layer 1, intake: the HTTP surface, keys and roles, and whether a request may come in."""
