"""The register of claims: how each claim stands."""
