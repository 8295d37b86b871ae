"""The call: where it goes, its attempts, its stream, and the one function that carries it."""
