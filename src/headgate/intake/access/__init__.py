"""Who may do what: projects, keys, roles, and how a request's key is checked."""
