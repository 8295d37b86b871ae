"""Times the pages of the console on a million runs."""
