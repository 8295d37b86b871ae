"""Layer 2: what a workflow may know beside its input, and the services that know it."""
