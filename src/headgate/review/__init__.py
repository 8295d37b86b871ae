"""Layer 5: what must not go out by itself waits for a person, who decides."""
