"""The write side's part of the command line.

Modules here import click and the standard library at their top, nothing heavier: people type these
commands, and `--help` must answer at once. What a command needs it imports when it runs.
"""
