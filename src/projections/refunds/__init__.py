"""Refunds against the 15 days (R7): a row for each complete submission of each claim, paid or not."""
