"""Lists of words that rules look for, kept apart from the rules that do."""
