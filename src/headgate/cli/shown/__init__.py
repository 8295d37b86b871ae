"""How commands show things to people: one file a thing."""
