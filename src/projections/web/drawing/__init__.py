"""Drawings as plain figures: where each stroke lies. Templates turn them into SVG; no script is needed."""
