"""A second reading of the domain page, written without sight of the first, to test the two by each other."""
