"""The daily digest: what was missed, what is near its day, and what waits for the back office."""
