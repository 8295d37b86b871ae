"""HTTP as the OpenAI API speaks it: requests, replies, errors, limits and their delivery."""
