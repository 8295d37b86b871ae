"""Reading: what a text says, found by rules: its language, topics, facts and best sentences."""
