"""A provider's keys: which one a request is made with, and which of them are refused."""
