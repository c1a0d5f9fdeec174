"""Signed notes and checkpoints: what is written, and everything malformed refused."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.proofs.checkpoints import Checkpoint, open_checkpoint, peek_checkpoint, sign_checkpoint
from ledger.proofs.errors import BadNote
from ledger.proofs.merkle import EMPTY_ROOT, root_of
from ledger.proofs.notes import Ed25519Signer, VerifierKey, open_note, sign_note, split_note

ORIGIN = "ledger.example/book"
SIGNER = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"\x01" * 32))
KEY = SIGNER.verifier_key
OTHER = Ed25519Signer("witness.example/w", Ed25519PrivateKey.from_private_bytes(b"\x02" * 32))
HEAD = Checkpoint(ORIGIN, 5, b"\x07" * 32)
SIGNED = sign_checkpoint(HEAD, [SIGNER])


def test_the_notes_of_the_specification_and_of_go_verify() -> None:
    # The example key and note of Go's golang.org/x/mod/sumdb/note.
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
        "\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6Ryy"
        "BwJnAM=\n"
    )
    assert open_note(note, [key]).signed_by == (key,)
    assert str(key) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


@pytest.mark.parametrize("size", range(16))
def test_every_checkpoint_of_the_small_log_verifies(
    size: int, small_log: Path, small_log_key: VerifierKey
) -> None:
    signed = (small_log / f"checkpoint.{size}").read_text(encoding="utf-8")
    head = open_checkpoint(signed, [small_log_key])
    assert (head.size, head.origin) == (size, "example.com/log/testdata")
    assert signed.startswith(head.text + "\n— ")


def test_a_signed_checkpoint_reads_back() -> None:
    assert open_checkpoint(SIGNED, [KEY]) == HEAD
    assert peek_checkpoint(SIGNED) == HEAD
    assert SIGNED.startswith(
        "ledger.example/book\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n\n— ledger.example/book "
    )


def test_signatures_by_unknown_keys_are_ignored_and_named() -> None:
    opened = open_note(sign_checkpoint(HEAD, [OTHER, SIGNER]), [KEY])
    assert opened.signed_by == (KEY,)
    assert [unknown.name for unknown in opened.not_known] == [OTHER.name]


def test_a_known_key_whose_signature_is_wrong_refuses_the_whole_note() -> None:
    text, (ours, _) = split_note(sign_checkpoint(HEAD, [SIGNER, OTHER]))
    (_, (theirs, _)) = split_note(sign_note("other text\n", [OTHER, SIGNER]))
    note = f"{text}\n{ours.line}{theirs.line}"
    assert open_note(note, [KEY]).signed_by == (KEY,)
    with pytest.raises(BadNote, match="does not fit"):
        open_note(note, [KEY, OTHER.verifier_key])


def test_a_note_that_no_trusted_key_has_signed_is_refused() -> None:
    with pytest.raises(BadNote, match="not signed by a trusted key"):
        open_checkpoint(SIGNED, [OTHER.verifier_key])
    with pytest.raises(BadNote, match="none was given"):
        open_checkpoint(SIGNED, [])


def test_a_head_of_one_log_signed_under_another_name_is_refused() -> None:
    with pytest.raises(BadNote, match="signs for another"):
        open_checkpoint(sign_checkpoint(HEAD, [OTHER]), [OTHER.verifier_key])


@given(st.data())
@settings(max_examples=300)
def test_any_changed_byte_of_a_signed_head_is_refused(draw: st.DataObject) -> None:
    raw = bytearray(SIGNED.encode())
    raw[draw.draw(st.integers(0, len(raw) - 1))] ^= draw.draw(st.integers(1, 255))
    with pytest.raises((BadNote, UnicodeDecodeError)):
        open_checkpoint(raw.decode(), [KEY])


@pytest.mark.parametrize(
    "text",
    [
        "ledger.example/book\n05\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "ledger.example/book\n+5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "ledger.example/book\n\u0665\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "ledger.example/book\n9223372036854775808\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "ledger.example/book\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd=\n",
        "ledger.example/book\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\n",
        "ledger.example/book\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n",
        "ledger.example/book\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\nextension\n",
        "ledger.example/book\n5\n",
        "\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "ledger example\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "ledger.example/book\n0\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
        "ledger.example/book\n5\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
    ],
)
def test_a_checkpoint_has_one_spelling_only(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text)


def test_the_empty_log_has_a_head() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert open_checkpoint(sign_checkpoint(empty, [SIGNER]), [KEY]) == empty
    assert root_of([]) == EMPTY_ROOT


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\n— name\n",
        "text\n\n- name AAAAAAAA\n",
        "text\n\n— na+me AAAAAAAAAA==\n",
        "text\n\n— name AAAA\n",
        "text\n\n— name AAAAAAAAAA==",
        "text\r\n\n— name AAAAAAAAAA==\n",
        "\ud800\n\n— name AAAAAAAAAA==\n",
        "text\n\n" + "— name AAAAAAAAAA==\n" * 101,
    ],
)
def test_what_is_no_signed_note_is_refused(note: str) -> None:
    with pytest.raises(BadNote):
        open_note(note, [KEY])


@pytest.mark.parametrize("text", ["no newline", "control\x07\n", "\ud800\n"])
def test_a_text_that_cannot_stand_in_a_note_is_not_signed(text: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        sign_note(text, [SIGNER])


def test_a_note_that_nobody_signs_is_not_written() -> None:
    with pytest.raises(ValueError, match="needs a signer"):
        sign_note("text\n", [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name+c74f20a3",
        str(KEY).replace("+", "-"),
        str(KEY)[:-4],
        "x" + str(KEY),
        f"{ORIGIN}+{KEY.key_id.hex().upper()}+{str(KEY).split('+', 2)[2]}",
    ],
)
def test_a_verifier_key_that_was_not_copied_whole_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        VerifierKey.parse(text)
