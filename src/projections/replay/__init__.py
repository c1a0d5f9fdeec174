"""Replay: a history told event by event, with what each one changed in the state."""
