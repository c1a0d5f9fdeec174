"""The read side's part of the command line. A module is loaded when one of its verbs is asked for."""
