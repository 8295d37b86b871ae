"""The pages at `/console`, for people; made on the server, and whole without JavaScript."""
