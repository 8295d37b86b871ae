"""Answers given before, given again: which calls, under which key, where kept, how replayed."""
