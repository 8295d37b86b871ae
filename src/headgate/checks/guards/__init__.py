"""Guards: what looks at the parts of every call, in both directions, before anyone else does."""
