"""Limits and budgets being spent: exact over every process on one database, in memory per call."""
