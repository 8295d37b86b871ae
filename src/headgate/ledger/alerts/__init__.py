"""Telling people that a budget is being used up: once for each threshold, over all processes."""
