"""The file of master keys, which wrap every other key. It stays outside the database and its backups."""

from pathlib import Path


class MasterKeys:
    """The master keys of one file; the current one wraps, the others still unwrap."""

    @classmethod
    def create(cls, path: Path) -> "MasterKeys":
        """Make the file, mode 0600, with one new key. Raises KeyFileRefused if there is one already."""
        raise NotImplementedError

    @classmethod
    def read(cls, path: Path) -> "MasterKeys":
        """Read the file. Raises KeyFileRefused when it is missing, malformed, or open to others."""
        raise NotImplementedError
