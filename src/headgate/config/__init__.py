"""What an operator writes, as typed models; unknown fields are errors that name file and line."""
