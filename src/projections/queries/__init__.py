"""Questions that need more than one view, or another time than now."""
