"""The monthly bordereau of claims: paid in the month, paid before, outstanding, status at the month's end."""
