"""A file that is made first holds nothing while it is sent, and is refused before anything was."""

from collections.abc import Iterator

import pytest

from projections.exports.files import CHUNK_BYTES, IN_MEMORY_BYTES, spooled


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, IN_MEMORY_BYTES + 3])
def test_it_gives_what_it_took_some_at_a_time(size: int) -> None:
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    pieces = list(spooled(iter([content[: size // 3], content[size // 3 :]])))
    assert b"".join(pieces) == content
    assert all(len(piece) <= CHUNK_BYTES for piece in pieces)


def test_all_is_taken_before_the_first_is_given() -> None:
    taken = []

    def chunks() -> Iterator[bytes]:
        for number in range(3):
            taken.append(number)
            yield b"."

    sent = spooled(chunks())
    assert taken == [0, 1, 2]
    assert b"".join(sent) == b"..."


def test_what_fails_while_it_is_made_is_told_at_once() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        message = "no more rows fit"
        raise ValueError(message)

    with pytest.raises(ValueError, match="no more rows fit"):
        spooled(chunks())
