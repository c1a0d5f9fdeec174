"""The sweep: every stream whose time has come is brought up to date."""
