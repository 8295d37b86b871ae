"""The attempts of a call: whom it asks, how often, and until when."""
