"""The Go team's transparency log packages on a bundle of ours: another language, no code shared.

Runs where Go and its packages are installed (Debian: golang-go, golang-golang-x-mod-dev).
"""

import shutil
from pathlib import Path

import pytest
from go_programs import built, needs_go, run
from our_bundle import OurBundle

pytestmark = needs_go


@pytest.fixture(scope="module")
def go_verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built("go_verifier", tmp_path_factory.mktemp("go"))


def test_it_verifies_every_entry_and_every_head(go_verifier: Path, bundle: OurBundle) -> None:
    done = run(go_verifier, bundle.directory, bundle.key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"verified {bundle.head.size} entries and {len(bundle.heads)} heads\n"


@pytest.mark.parametrize(
    "name", ["checkpoint", "checkpoints", "tile/0/017", "tile/1/000", "tile/entries/017"]
)
def test_it_refuses_a_bundle_with_one_byte_changed(
    name: str, go_verifier: Path, bundle: OurBundle, tmp_path: Path
) -> None:
    copy = shutil.copytree(bundle.directory, tmp_path / "copy")
    raw = bytearray((copy / name).read_bytes())
    raw[100] ^= 1
    (copy / name).write_bytes(raw)
    done = run(go_verifier, copy, bundle.key)
    assert done.returncode == 1
    assert done.stderr
