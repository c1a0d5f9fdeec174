"""Checks the files of a bundle that no position hangs on."""

import os
from collections.abc import Iterator
from pathlib import Path

from ledger.feed.proofs.bundle.layout import MAX_SUMS_BYTES, PAYLOADS, SUMS, TILES, sums_of, write_sums
from ledger.feed.proofs.given_files import read_plain, text_of
from ledger.feed.proofs.refused import BadProof, BundleBroken
from ledger.feed.proofs.tiles import (
    parse_entries_path,
    parse_tile_path,
    width_at,
)


def check_plain_files(directory: Path) -> None:
    """Refuse anything but folders and plain files: what a link leads to is no part of a bundle."""
    folders = [directory]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as found:
                for entry in found:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif not entry.is_file(follow_symlinks=False):
                        name = Path(entry.path).relative_to(directory).as_posix()
                        message = (
                            "it is a link or a device, no plain file: copy the bundle as it was exported"
                        )
                        raise BundleBroken(None, name, message)
        except OSError as error:
            raise BundleBroken(None, str(folder), f"it cannot be read ({error.strerror})") from error


def check_no_other_files(directory: Path, size: int) -> None:
    """Refuse files among tiles, entries and payloads that a log of `size` leaves does not have."""
    for folder in (TILES, PAYLOADS):
        for path in _files_below(directory / folder):
            name = path.relative_to(directory).as_posix()
            if not _belongs(name, size):
                raise BundleBroken(None, name, f"no such file belongs to a log of {size} events: remove it")


def check_loose_files(directory: Path) -> None:
    """Compare what is not part of the log (README, keys, schemas, history) with its sums."""
    try:
        written = text_of(read_plain(directory / SUMS, MAX_SUMS_BYTES))
        found = write_sums(sums_of(directory))
    except FileNotFoundError as error:
        raise BundleBroken(None, SUMS, "it is missing") from error
    except OSError as error:
        raise BundleBroken(None, SUMS, f"a file that it names cannot be read ({error.strerror})") from error
    except BadProof as error:
        raise BundleBroken(None, SUMS, str(error)) from error
    if found != written:
        differing = sorted(set(found.splitlines()) ^ set(written.splitlines()))
        name = differing[0].rpartition("  ")[2] if differing else SUMS
        raise BundleBroken(
            None, name, f"it is not the file that {SUMS} names: it was altered after the export"
        )


def _files_below(folder: Path) -> Iterator[Path]:
    """Walk a folder, one directory in memory at a time."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            yield from _files_below(path)
        else:
            yield path


def _belongs(name: str, size: int) -> bool:
    """Say whether a log of `size` leaves has this file."""
    tile = parse_tile_path(name)
    if tile is not None:
        return tile.width == width_at(tile.level, tile.number, size)
    entries = parse_entries_path(name.replace(f"{PAYLOADS}/", f"{TILES}/entries/", 1))
    return entries is not None and entries.width == width_at(0, entries.number, size)
