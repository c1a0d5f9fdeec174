"""Heads sent outside: each day the newest signed head goes to places that our own people do not rule."""
