"""The register of complaints: how each complaint stands."""
