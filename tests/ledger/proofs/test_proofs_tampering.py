"""A thousand random tamperings of a bundle: each is found, and the first bad position named."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from made_up_book import ORIGIN, SIGNER, made_up_events, signed_heads, write_made_up_bundle

from ledger.proofs.errors import BundleBroken
from ledger.proofs.merkle import HASH_BYTES, leaf_hash
from ledger.proofs.notes import Ed25519Signer
from ledger.proofs.tiles import TILE_WIDTH, join_entries, parse_tile_path, read_entries
from ledger.proofs.verifier import verify_bundle

SIZE = 530
HEADS = [1, 100, 256, 400, 530]
TAMPERINGS = 1_000
KEYS = [SIGNER.verifier_key]
Span = tuple[int, int] | None
"""First and last position that may be named; None: the fault hangs on no position."""


class Tamperer:
    """Changes one thing in a bundle at random and says where that must show."""

    def __init__(self, directory: Path, chance: Random) -> None:
        self.directory = directory
        self.chance = chance
        self.files = sorted(path for path in directory.rglob("*") if path.is_file())

    def tamper(self) -> tuple[str, Span]:
        kinds = [
            self.flip_a_byte, self.flip_a_byte, self.flip_a_byte, self.cut_a_file, self.delete_a_file,
            self.append_to_a_file, self.swap_two_events, self.drop_an_event, self.repeat_an_event,
            self.change_an_envelope, self.rewrite_an_event_and_its_tile, self.forge_the_head,
            self.put_the_head_back, self.add_a_file,
        ]  # fmt: skip
        return self.chance.choice(kinds)()

    def flip_a_byte(self) -> tuple[str, Span]:
        path = self.chance.choice(self.files)
        raw = bytearray(path.read_bytes())
        at = self.chance.randrange(len(raw))
        raw[at] ^= self.chance.randrange(1, 256)
        path.write_bytes(raw)
        return f"byte {at} of {self.name(path)}", self.span(path, at)

    def cut_a_file(self) -> tuple[str, Span]:
        path = self.chance.choice(self.files)
        raw = path.read_bytes()
        at = self.chance.randrange(len(raw))
        path.write_bytes(raw[:at])
        return f"{self.name(path)} cut at {at}", self.span(path, at, whole=raw)

    def delete_a_file(self) -> tuple[str, Span]:
        path = self.chance.choice(self.files)
        raw = path.read_bytes()
        path.unlink()
        return f"{self.name(path)} deleted", self.span(path, 0, whole=raw)

    def append_to_a_file(self) -> tuple[str, Span]:
        path = self.chance.choice(self.files)
        raw = path.read_bytes()
        path.write_bytes(raw + self.chance.randbytes(self.chance.randrange(1, 40)))
        return f"{self.name(path)} made longer", self.span(path, len(raw) - 1, whole=raw)

    def swap_two_events(self) -> tuple[str, Span]:
        number, leaves, payloads = self.read_events()
        one, other = sorted(self.chance.sample(range(len(leaves)), 2))
        for rows in (leaves, payloads):
            rows[one], rows[other] = rows[other], rows[one]
        self.write_events(number, leaves, payloads)
        return f"events {one} and {other} of file {number} swapped", at(number * TILE_WIDTH + one)

    def drop_an_event(self) -> tuple[str, Span]:
        number, leaves, payloads = self.read_events()
        gone = self.chance.randrange(len(leaves))
        del leaves[gone], payloads[gone]
        self.write_events(number, leaves, payloads)
        return f"event {gone} of file {number} dropped", at(number * TILE_WIDTH + gone)

    def repeat_an_event(self) -> tuple[str, Span]:
        number, leaves, payloads = self.read_events()
        where = self.chance.randrange(len(leaves))
        again = self.chance.randrange(len(leaves))
        leaves.insert(where, leaves[again])
        payloads.insert(where, payloads[again])
        self.write_events(number, leaves, payloads)
        first = where if leaves[where] != leaves[where + 1] else where + 1
        last = len(leaves) - 2
        return f"event {again} put in at {where} of file {number}", at(number * TILE_WIDTH + min(first, last))

    def change_an_envelope(self) -> tuple[str, Span]:
        number, leaves, payloads = self.read_events()
        where = self.chance.randrange(len(leaves))
        leaves[where] = self.other_envelope(leaves[where])
        self.write_events(number, leaves, payloads)
        return f"the envelope of {where} of file {number} changed", at(number * TILE_WIDTH + where)

    def rewrite_an_event_and_its_tile(self) -> tuple[str, Span]:
        """With its leaf's hash in the tile: found in the chain, in the tile above or at the next head."""
        number, leaves, payloads = self.read_events()
        where = self.chance.randrange(len(leaves))
        leaves[where] = self.other_envelope(leaves[where])
        self.write_events(number, leaves, payloads)
        path = self.file("tile/0/", number)
        hashes = bytearray(path.read_bytes())
        hashes[where * HASH_BYTES : (where + 1) * HASH_BYTES] = leaf_hash(leaves[where])
        path.write_bytes(hashes)
        position = number * TILE_WIDTH + where
        proven = max(head for head in [0, *HEADS] if head <= position)
        signed = min(head for head in HEADS if head > position)
        return f"event {position} rewritten with its tile", (proven, signed - 1)

    def forge_the_head(self) -> tuple[str, Span]:
        forger = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(self.chance.randbytes(32)))
        (head,) = signed_heads([self.chance.randbytes(8) for _ in range(SIZE)], [SIZE], forger)
        (self.directory / "checkpoint").write_text(head, encoding="utf-8")
        return "the head signed by another key", None

    def put_the_head_back(self) -> tuple[str, Span]:
        """An older head, truly signed: the history goes beyond it."""
        heads = (self.directory / "checkpoints").read_text(encoding="utf-8").split("\n\n")
        older = self.chance.randrange(len(HEADS) - 1)
        text = f"{heads[2 * older]}\n\n{heads[2 * older + 1]}\n"
        (self.directory / "checkpoint").write_text(text, encoding="utf-8")
        return f"the head put back to {HEADS[older]}", (0, HEADS[older])

    def add_a_file(self) -> tuple[str, Span]:
        folder = self.chance.choice(["tile/0", "tile/entries", "tile/1", "payload"])
        path = self.directory / folder / f"{self.chance.randrange(3, 1000):03d}"
        path.write_bytes(self.chance.randbytes(32))
        return f"{self.name(path)} added", None

    def other_envelope(self, leaf: bytes) -> bytes:
        changes = [
            (b"staff-17", b"staff-18"), (b'"command_id":"', b'"command_id":"x'),
            (b"2026-03-01T", b"2026-02-28T"),
            (b'"schema_version":1', b'"schema_version":2'), (b'"ordinal":0', b'"ordinal":1'),
            (b'"effective_on":"2026', b'"effective_on":"2025'), (b'"v":1', b'"v":2'),
            (b".123456Z", b".123457Z"),
        ]  # fmt: skip
        return leaf.replace(*self.chance.choice(changes), 1)

    def read_events(self) -> tuple[int, list[bytes], list[bytes]]:
        number = self.chance.randrange(-(-SIZE // TILE_WIDTH))
        width = min(TILE_WIDTH, SIZE - number * TILE_WIDTH)
        leaves = read_entries(self.file("tile/entries/", number).read_bytes(), width)
        payloads = [raw[4:] for raw in records(self.file("payload/", number).read_bytes(), 4)]
        return number, list(leaves), payloads

    def write_events(self, number: int, leaves: list[bytes], payloads: list[bytes]) -> None:
        self.file("tile/entries/", number).write_bytes(join_entries(leaves))
        joined = b"".join(len(payload).to_bytes(4, "big") + payload for payload in payloads)
        self.file("payload/", number).write_bytes(joined)

    def file(self, folder: str, number: int) -> Path:
        (found,) = (path for path in self.files if self.name(path).startswith(f"{folder}{number:03d}"))
        return found

    def name(self, path: Path) -> str:
        return path.relative_to(self.directory).as_posix()

    def span(self, path: Path, offset: int, whole: bytes | None = None) -> Span:
        """Say which position a change at this offset of a file is one of."""
        name = self.name(path)
        raw = path.read_bytes() if whole is None else whole
        if name == "checkpoints":
            return 0, SIZE
        for folder, prefix in (("tile/entries/", 2), ("payload/", 4)):
            if name.startswith(folder):
                first = int(name.removeprefix(folder)[:3]) * TILE_WIDTH
                return at(first + self.record_of(folder, first, offset, raw, prefix))
        tile = parse_tile_path(name)
        if tile is None:
            return None
        first = (tile.number * TILE_WIDTH + offset // HASH_BYTES) << (8 * tile.level)
        return first, first + (1 << (8 * tile.level)) - 1

    @staticmethod
    def record_of(folder: str, first: int, offset: int, raw: bytes, prefix: int) -> int:
        """Find the record that an offset lies in; the lengths before it are as they were."""
        end = 0
        for number, record in enumerate(records(raw, prefix, stop=offset)):
            end += len(record)
            if offset < end:
                return number
        message = f"no record of {folder}{first} at {offset}"
        raise AssertionError(message)


def at(position: int) -> tuple[int, int]:
    return position, position


def records(raw: bytes, prefix: int, stop: int | None = None) -> Iterator[bytes]:
    """Length-prefixed records, prefix included; past `stop` the rest is one record."""
    start = 0
    while start < len(raw):
        end = start + prefix + int.from_bytes(raw[start : start + prefix], "big")
        if stop is not None and start <= stop < start + prefix:
            end = len(raw)
        yield raw[start:end]
        start = end


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bundle") / "original"
    write_made_up_bundle(directory, list(made_up_events(SIZE)), HEADS)
    verify_bundle(directory, KEYS)
    return directory


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 10))])
def test_a_thousand_random_tamperings_are_each_found_at_their_first_bad_position(
    seed: int, original: Path, tmp_path: Path
) -> None:
    chance = Random(seed)  # noqa: S311 — tamperings are to be repeatable, not secret
    for number in range(TAMPERINGS // 10):
        directory = tmp_path / str(number)
        shutil.copytree(original, directory)
        what, span = Tamperer(directory, chance).tamper()
        with pytest.raises(BundleBroken) as broken:
            verify_bundle(directory, KEYS)
        named = broken.value.position
        if span is None:
            assert named is None, (what, str(broken.value))
        else:
            assert named is not None, (what, str(broken.value))
            assert span[0] <= named <= span[1], (what, str(broken.value))
        shutil.rmtree(directory)
