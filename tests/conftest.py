"""What every test may ask for."""

pytest_plugins = ["fixtures.server", "fixtures.database", "fixtures.program", "fixtures.node"]
