"""What is done to personal data and secrets: hidden on the way in, put back on the way out."""
