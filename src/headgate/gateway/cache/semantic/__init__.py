"""Answers to inputs that are alike, though not equal: for the workflows that the operator names."""
