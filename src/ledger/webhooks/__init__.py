"""Subscribers outside: webhooks, a NATS relay, programs. At least once, in order for each contract."""
