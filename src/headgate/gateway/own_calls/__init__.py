"""Calls that Headgate makes itself, for another one: they go the way of every call."""
