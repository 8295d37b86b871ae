"""Files as guards meet them: forms and lines on the way in, a batch's results on the way out."""
