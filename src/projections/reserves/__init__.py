"""Reserves and recoveries: what each claim may still cost, what it has cost, what came back."""
