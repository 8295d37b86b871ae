"""A model as judge of what the injection detector is in doubt of."""
