"""The time side's part of the command line. Modules import click and the standard library at their top."""
