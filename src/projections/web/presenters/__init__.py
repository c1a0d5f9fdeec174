"""What a page tells, made from what queries answer: no request, no template."""
