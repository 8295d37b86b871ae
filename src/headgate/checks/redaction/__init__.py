"""What is done to personal data and secrets that were found: hidden on the way in, put back after."""
