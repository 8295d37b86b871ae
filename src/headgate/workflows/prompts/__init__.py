"""Prompts: `prompt.md` read, and one input turned into the messages of a call."""
