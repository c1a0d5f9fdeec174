"""A contract: its terms of one year, how it ends, and what is left of its limits."""
