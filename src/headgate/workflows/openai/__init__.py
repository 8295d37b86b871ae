"""Workflows as models: requests of the OpenAI API whose model is `workflow:NAME`."""
