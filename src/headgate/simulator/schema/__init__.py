"""Structured output: from a JSON Schema and a text to a value that suits both."""
