"""What a page tells, made from what questions answer: pure, no database, no request."""
