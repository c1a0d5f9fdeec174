"""A claim: from the first call to the refund."""
