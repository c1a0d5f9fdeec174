"""Keeping the views: where each stands, building one anew, finding where one is not what it must be."""
