"""Retention: whose records nothing asks for any more. It proposes; a person erases."""
