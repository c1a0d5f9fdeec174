"""The register of contracts: how each contract stands."""
