"""The pages, one module each: its address, its question, its JSON, its template."""
