"""What a request asks an answer to be, by schemas of its own, and whether the answer is that."""
