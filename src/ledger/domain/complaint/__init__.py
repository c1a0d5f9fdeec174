"""A complaint: acknowledged, answered, and where need be brought before the Ombudsman (R9, D18)."""
