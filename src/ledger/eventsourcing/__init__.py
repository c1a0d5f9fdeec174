"""Our plug-in for the library `eventsourcing`: its recorders, mapper and factory on the ledger's store."""
