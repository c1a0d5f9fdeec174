"""Loading a book of commands from files: read, check all of it, then record it chunk by chunk."""
