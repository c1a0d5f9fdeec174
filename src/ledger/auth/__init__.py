"""Who may do what: roles and their rights as data, tokens, and callers known by a token or by a JWT."""
