"""A file that is made on the disk first and sent afterwards: nothing waits for a slow reader."""

from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Final, cast

IN_MEMORY_BYTES: Final = 1_000_000
CHUNK_BYTES: Final = 65_536


def spooled(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Take all chunks now, and give them again later; a large file waits on the disk, not in memory."""
    file = cast("IO[bytes]", SpooledTemporaryFile(max_size=IN_MEMORY_BYTES))  # noqa: SIM115  # closed once sent
    try:
        for chunk in chunks:
            file.write(chunk)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return _sent(file)


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
