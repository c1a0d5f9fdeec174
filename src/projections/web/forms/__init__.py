"""Forms: which commands a page offers, what each asks for, how what was typed becomes a command."""
