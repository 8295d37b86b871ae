"""Grades of requests, given by a small model, for the rules of tiered routes that ask for one."""
