"""What an output must pass before anyone sees it: its schema, and the owner's rules."""
