"""The HTTP surface: the OpenAI API on one side, the administrative API on the other."""
