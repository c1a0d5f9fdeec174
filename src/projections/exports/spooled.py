"""A file that is made on the disk first and sent afterwards: nothing waits for a slow reader."""

from collections.abc import Callable, Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Final, cast

IN_MEMORY_BYTES: Final = 1_000_000
CHUNK_BYTES: Final = 65_536


def made(write: Callable[[IO[bytes]], object]) -> Iterator[bytes]:
    """Let a file be written now, and give it later, some bytes at a time; a large one waits on the disk.

    Raises what `write` raises.
    """
    file = cast("IO[bytes]", SpooledTemporaryFile(max_size=IN_MEMORY_BYTES))  # noqa: SIM115  # closed once sent
    try:
        write(file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return _sent(file)


def spooled(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Take all chunks now, and give them again later."""

    def write(file: IO[bytes]) -> None:
        for chunk in chunks:
            file.write(chunk)

    return made(write)


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
