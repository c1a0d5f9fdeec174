"""How every view is folded: a pure fold a view, its rows kept by position, batches written at once."""
