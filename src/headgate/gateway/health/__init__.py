"""How targets fare: what their attempts have shown of them, and whether they are left alone."""
