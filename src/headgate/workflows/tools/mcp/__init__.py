"""A small client of the Model Context Protocol: tools only, over HTTP or a process of our own."""
