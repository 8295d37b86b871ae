"""What a model may ask for beside an answer: reading, and acting on the world."""
