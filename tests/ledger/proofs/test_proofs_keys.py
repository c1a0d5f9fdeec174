"""The key file, rotation, and the head kept beside the key."""

import stat
from pathlib import Path

import pytest
from proof_samples import TreeInMemory

from ledger.proofs.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.proofs.errors import BadNote, KeyFileRefused, LogForked
from ledger.proofs.merkle import Frontier, NodeAt, leaf_hash, root_from_nodes
from ledger.sealing.key_files import SigningKeys, create_keys, load_keys, rotate_keys
from ledger.sealing.signing_keys import check_extends, keep_head, kept_head

ORIGIN = "ledger.example/book"
TREE = TreeInMemory(200)


def head(size: int, origin: str = ORIGIN) -> Checkpoint:
    return Checkpoint(origin, size, root_from_nodes(size, TREE.read_nodes))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "signing.key"


def test_a_key_file_is_private_and_reads_back(key_file: Path) -> None:
    keys = create_keys(key_file, ORIGIN)
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    read = load_keys(key_file)
    signed = sign_checkpoint(head(5), [read.signer])
    assert open_checkpoint(signed, keys.verifier_keys) == head(5)


def test_a_key_file_is_never_overwritten(key_file: Path) -> None:
    create_keys(key_file, ORIGIN)
    before = key_file.read_bytes()
    with pytest.raises(FileExistsError):
        create_keys(key_file, ORIGIN)
    assert key_file.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700, 0o400])
def test_a_key_file_that_is_not_0600_is_refused(key_file: Path, mode: int) -> None:
    create_keys(key_file, ORIGIN)
    key_file.chmod(mode)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        load_keys(key_file)


def test_a_missing_key_file_is_refused(key_file: Path) -> None:
    with pytest.raises(KeyFileRefused, match="missing"):
        load_keys(key_file)


def test_after_a_rotation_old_heads_verify_and_the_old_private_key_is_gone(key_file: Path) -> None:
    old = create_keys(key_file, ORIGIN)
    old_head = sign_checkpoint(head(50), [old.signer])
    rotated = rotate_keys(key_file, last_signed_size=50)
    rotate_keys(key_file, last_signed_size=80)

    now = load_keys(key_file)
    assert old.signer.verifier_key in now.verifier_keys
    assert now.verifier_keys[0] == now.signer.verifier_key
    assert open_checkpoint(old_head, now.verifier_keys) == head(50)
    assert open_checkpoint(old_head, now.verifier_keys_at(50)) == head(50)
    assert now.verifier_keys_at(51) == [rotated.signer.verifier_key]
    assert now.verifier_keys_at(81) == [now.signer.verifier_key]
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert old_private_lines(key_file) == 1
    assert [path.name for path in key_file.parent.iterdir()] == ["signing.key"]


def old_private_lines(key_file: Path) -> int:
    return key_file.read_text(encoding="utf-8").count("PRIVATE+KEY")


def test_a_retired_key_signs_nothing_further(key_file: Path) -> None:
    old = create_keys(key_file, ORIGIN)
    rotate_keys(key_file, last_signed_size=50)
    later = sign_checkpoint(head(51), [old.signer])
    with pytest.raises(BadNote, match="trusted key"):
        open_checkpoint(later, load_keys(key_file).verifier_keys_at(51))


def test_a_key_rotates_only_after_heads_of_its_own(key_file: Path) -> None:
    create_keys(key_file, ORIGIN)
    rotate_keys(key_file, last_signed_size=50)
    with pytest.raises(ValueError, match="not its own"):
        rotate_keys(key_file, last_signed_size=49)


def test_a_new_epoch_signs_under_its_own_origin(key_file: Path) -> None:
    keys = create_keys(key_file, ORIGIN)
    second: SigningKeys = keys.renamed(f"{ORIGIN}/epoch2")
    signed = sign_checkpoint(head(5, f"{ORIGIN}/epoch2"), [second.signer])
    assert open_checkpoint(signed, second.verifier_keys).origin == f"{ORIGIN}/epoch2"
    with pytest.raises(BadNote, match="trusted key"):
        open_checkpoint(signed, keys.verifier_keys)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# claims-ledger", "# other"),
        ("signs from 0", "signs from 00"),
        ("PRIVATE+KEY+ledger", "PRIVATE+KEY+lodger"),
        ("+A", "+AA"),
        ("+A", "+B"),
        ("\n", "\n\n"),
        ("verified", "verifies"),
    ],
)
def test_a_damaged_key_file_is_refused(key_file: Path, old: str, new: str) -> None:
    create_keys(key_file, ORIGIN)
    rotate_keys(key_file, last_signed_size=0)
    text = key_file.read_text(encoding="utf-8").replace("signs from 1", "signs from 0")
    key_file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(KeyFileRefused, match="not a signing key file"):
        load_keys(key_file)


def test_a_key_file_that_is_not_text_is_refused(key_file: Path) -> None:
    create_keys(key_file, ORIGIN)
    key_file.write_bytes(b"\xff\xfe")
    with pytest.raises(KeyFileRefused, match="not text"):
        load_keys(key_file)


def test_the_head_kept_reads_back_and_a_forged_one_is_refused(key_file: Path, tmp_path: Path) -> None:
    keys = create_keys(key_file, ORIGIN)
    kept = tmp_path / "last.head"
    assert kept_head(kept, keys.verifier_keys) is None
    keep_head(kept, sign_checkpoint(head(7), [keys.signer]))
    keep_head(kept, sign_checkpoint(head(9), [keys.signer]))
    assert kept_head(kept, keys.verifier_keys) == head(9)

    kept.write_text(kept.read_text(encoding="utf-8").replace("\n9\n", "\n8\n"), encoding="utf-8")
    with pytest.raises(KeyFileRefused, match="not a head signed by this log's key"):
        kept_head(kept, keys.verifier_keys)


@pytest.mark.parametrize(("old", "new"), [(1, 1), (1, 200), (7, 9), (64, 128), (127, 200)])
def test_a_log_that_grew_extends_the_head_kept(old: int, new: int) -> None:
    kept, grown = head(old), head(new)
    TREE.reads.clear()
    check_extends(kept, grown, TREE.read_nodes)
    assert len(TREE.reads) <= 1


def test_before_the_first_head_there_is_nothing_to_extend() -> None:
    check_extends(None, head(5), TREE.read_nodes)
    check_extends(head(0), head(5), TREE.read_nodes)


def test_a_database_older_than_the_head_kept_is_refused() -> None:
    with pytest.raises(LogForked, match=r"has 50 events, but a head of 60 has been signed.*restore"):
        check_extends(head(60), head(50), TREE.read_nodes)


def test_a_head_of_another_log_is_refused() -> None:
    with pytest.raises(LogForked, match="is of the log other"):
        check_extends(head(5, "other"), head(5), TREE.read_nodes)


@pytest.mark.parametrize(("old", "new", "changed"), [(9, 9, 0), (9, 40, 8), (64, 65, 63), (31, 200, 0)])
def test_a_forked_log_is_refused(old: int, new: int, changed: int) -> None:
    leaves = list(TREE.leaves[:new])
    leaves[changed] = leaf_hash(b"another history")
    frontier = Frontier()
    nodes = {NodeAt(*node[:2]): node.hash for node in frontier.completed_by(leaves)}
    with pytest.raises(LogForked, match=r"is forked .*nothing is sealed or signed"):
        check_extends(
            head(old),
            Checkpoint(ORIGIN, new, frontier.root()),
            lambda places: [nodes[place] for place in places],
        )


def test_a_log_whose_nodes_are_gone_is_refused() -> None:
    with pytest.raises(LogForked, match="incomplete"):
        check_extends(head(9), head(40), lambda _: [])
