"""Letters that leave the house: prepared ahead of the day, handed over once, erasable with the person."""
