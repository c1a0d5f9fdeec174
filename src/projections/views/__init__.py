"""The views, one module each: its row, its fold, and the question that is put to its table."""
