"""Witnesses that answer anything, in any time, and what their cosignatures are good for."""

import json
import socket
import ssl
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from running_witness import Cosigner, RunningWitness

from fixtures.program import CommandLine
from ledger.app import App
from ledger.attempts import failing
from ledger.command_envelope import submission
from ledger.config import Settings
from ledger.proofs.notes import VerifierKey
from ledger.proofs.verifier import verify_evidence
from schedulers.anchoring import sender
from schedulers.anchoring import witness as witness_module
from schedulers.anchoring.sender import anchor_targets, send, send_now
from schedulers.anchoring.witness import NoAnswer, post

FIXED = Cosigner("w.example", Ed25519PrivateKey.from_private_bytes(b"\x07" * 32))
Talk = Callable[[socket.socket], None]


def record(wiring: App, *contracts: str) -> None:
    for contract in contracts:
        fields = {
            "contract": contract,
            "product": "cyber-care",
            "starts_on": "2026-01-05",
            "policyholder": {"person": f"P-{contract}", "name": "Mila Peeters"},
        }
        assert wiring.ledger.submit(submission(f"s-{contract}", "StartContract", fields)).status == "recorded"
    wiring.seal()
    wiring.sealer.finish()


def using(wiring: App, **places_outside: str) -> None:
    wiring.settings = wiring.settings.model_copy(update=places_outside)


@contextmanager
def talking(talk: Talk) -> Iterator[str]:
    """A server that reads what it is sent and then talks as it likes."""
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                connection, _ = listening.accept()
                with connection, suppress(OSError):
                    connection.settimeout(5)
                    connection.recv(65_536)
                    talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/add-checkpoint"
        stop.set()
        thread.join()


def says(raw: bytes) -> Talk:
    return lambda connection: connection.sendall(raw)


def forever(raw: bytes, each: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.sendall(raw)
        while True:
            connection.sendall(each)

    return talk


def slowly(raw: bytes) -> Talk:
    """A byte now and then, so that no single wait is long."""

    def talk(connection: socket.socket) -> None:
        ended = threading.Event()
        for place in range(10_000):
            connection.sendall(raw[place % len(raw) :][:1])
            ended.wait(0.05)

    return talk


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ODD: dict[str, Talk] = {
    "another protocol": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "nothing": says(b""),
    "a status that is none": says(b"HTTP/1.1 abc OK\r\n\r\n"),
    "a broken chunk": says(CHUNKED + b"zz\r\nabc"),
    "a chunk below zero": says(CHUNKED + b"-1\r\n" + b"x" * 9_000),
    "a cut chunk": says(CHUNKED + b"ff\r\nabc"),
    "a long header": says(OK + b"X: " + b"a" * 70_000 + b"\r\n\r\n"),
    "many headers": says(OK + b"".join(b"X-%d: a\r\n" % n for n in range(300)) + b"\r\n"),
    "a large body": says(OK + b"Content-Length: 200000\r\n\r\n" + b"a" * 200_000),
    "a body without end": forever(OK + b"\r\n", b"a" * 4_096),
    "headers without end": forever(OK, b"X: a\r\n"),
    "chunks without end": forever(CHUNKED, b"1;" + b"e" * 9_000 + b"\r\na\r\n"),
    "a size of 5,000 digits": says(
        b"HTTP/1.1 409 Conflict\r\nContent-Type: text/x.tlog.size\r\nContent-Length: 5000\r\n\r\n"
        + b"9" * 5_000
    ),
    "a redirect": says(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
    "bytes that are no text": says(OK + b"Content-Length: 4\r\n\r\n\xff\xfe\x00\x9b"),
}


def test_fault_03_whatever_a_witness_answers_the_others_get_their_head_and_a_line_says_why(
    wiring: App, witness: RunningWitness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness_module, "SECONDS", 2.0)
    record(wiring, "C-1")
    key = Cosigner().key
    for what, talk in ODD.items():
        witness.size = 0
        folder = tmp_path / what
        folder.mkdir()
        with talking(talk) as odd:
            using(wiring, witnesses=f"{odd}#{key} {witness.setting}", checkpoint_folders=str(folder))
            sent = send_now(wiring)
        assert [(one.place == odd, one.taken) for one in sent] == [
            (True, False),
            (False, True),
            (False, True),
        ], what
        [line] = sent[0].told.splitlines()
        assert line.isprintable(), what
        assert len(line) < 600, what
        assert len(list(folder.iterdir())) == 1


def test_fault_03_a_slow_witness_takes_no_more_than_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_module, "SECONDS", 1.0)
    for raw in (OK + b"X: " + b"a" * 9_000, OK + b"\r\n" + b"a" * 9_000):
        with talking(slowly(raw)) as url:
            begun = monotonic()
            with pytest.raises(NoAnswer, match="in time"):
                post(url, b"old 0\n")
            assert monotonic() - begun < 15


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/x", "http://nowhere.invalid/x", "https://127.0.0.1:9/x", "http://[::1/x",
        f"http://{'a' * 70}.example/x", "http://127.0.0.1:99999/x", "http://a b/x",
    ],
)  # fmt: skip
def test_fault_03_a_witness_that_cannot_be_reached_is_said_so(url: str) -> None:
    with pytest.raises(NoAnswer) as said:
        post(url, b"")
    assert len(str(said.value).splitlines()) == 1


def test_fault_03_tls_that_fails_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness_module, "CONNECT_SECONDS", 2.0)
    for talk in (says(b"HTTP/1.1 400 no TLS here\r\n\r\n"), slowly(b"\x16")):
        with talking(talk) as url, pytest.raises(NoAnswer):
            post(url.replace("http:", "https:"), b"")
    assert ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED


def test_fault_03_a_place_that_failed_is_shown_and_tried_again_after_ten_minutes(
    wiring: App, witness: RunningWitness
) -> None:
    record(wiring, "C-1")
    using(wiring, witnesses=witness.setting)
    wanted = anchor_targets(wiring.settings)
    witness.answers.append((500, "text/plain", "sorry"))
    [failed] = send(wiring, wanted)
    assert not failed.taken
    with wiring.pool.connection() as connection:
        [shown] = failing(connection, wiring.book)
        assert (shown.worker, shown.item, shown.error) == ("heads", witness.url, "it answered 500: sorry")
        assert shown.next_at is not None
        assert 590 < (shown.next_at - shown.last_at).total_seconds() < 610
    assert sender.TICK_SECONDS == 600
    [sent] = send(wiring, wanted)
    assert sent.taken
    with wiring.pool.connection() as connection:
        assert failing(connection, wiring.book) == []


def test_fault_03_by_hand_each_place_has_a_line(
    wiring: App, witness: RunningWitness, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(wiring, "C-1")
    with talking(ODD["another protocol"]) as odd:
        monkeypatch.setenv("COVERLEDGER_WITNESSES", f"{odd}#{Cosigner().key} {witness.setting}")
        ended = command_line("checkpoint", "--send")
    assert ended.exit_code == 1
    first, second = ended.out.splitlines()
    assert first.startswith(f"not taken  {odd}  it does not answer as a witness does (BadStatusLine")
    assert second.startswith(f"taken  {witness.url}  — witness.test/one ")
    assert ended.err.splitlines()[-1].startswith("Error: The head was not taken by ")
    assert "Traceback" not in ended.err


# Row 17


def forged(cosigner: Cosigner) -> Callable[[str], str]:
    other = Cosigner(cosigner.name)

    def lines(text: str) -> str:
        line = other.line(text)
        raw = bytearray(b64decode(line.split(" ")[2]))
        raw[:4] = cosigner.key_id
        return f"— {cosigner.name} {b64encode(bytes(raw)).decode()}\n"

    return lines


def test_fault_17_only_a_cosignature_by_the_key_that_is_set_counts(
    wiring: App, witness: RunningWitness
) -> None:
    record(wiring, "C-1")
    using(wiring, witnesses=witness.setting)
    stranger, cosigner = Cosigner("stranger.test"), witness.cosigner
    for lines, told in (
        (lambda _: "— witness.test/one AAAAAAAAAAAAAAAA\n", "no signature lines by its key"),
        (stranger.line, "no signature lines by its key"),
        (Cosigner(cosigner.name).line, "no signature lines by its key"),
        (forged(cosigner), "does not fit the head"),
        (lambda text: cosigner.line(text.replace("\n", "\n1", 1)), "does not fit the head"),
        (Cosigner(cosigner.name, cosigner.private, 0).line, "does not fit the head"),
    ):
        witness.lines, witness.size = lines, 0
        [sent] = send_now(wiring)
        assert not sent.taken
        assert told in sent.told
    witness.lines, witness.size = (lambda text: stranger.line(text) + cosigner.line(text)), 0
    [sent] = send_now(wiring)
    assert sent.taken
    assert sent.told.startswith("— witness.test/one ")
    assert "stranger" not in sent.told


def test_fault_17_a_witness_without_a_key_counts_for_nothing_and_doctor_says_so(
    wiring: App, witness: RunningWitness, command_line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(wiring, "C-1")
    using(wiring, witnesses=witness.url)
    [sent] = send_now(wiring)
    assert not sent.taken
    assert "counts for nothing" in sent.told
    monkeypatch.setenv("COVERLEDGER_WITNESSES", witness.url)
    assert f"the key of the witness {witness.url} is not set" in command_line("doctor").out


def test_fault_17_a_verified_cosignature_is_served_with_the_head_and_verify_says_whose_it_is(
    wiring: App,
    witness: RunningWitness,
    command_line: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "outside"
    folder.mkdir()
    record(wiring, "C-1")
    monkeypatch.setenv("COVERLEDGER_WITNESSES", witness.setting)
    monkeypatch.setenv("COVERLEDGER_CHECKPOINT_FOLDERS", str(folder))
    assert command_line("checkpoint", "--send").exit_code == 0
    line = witness.given[-1]
    note = command_line("checkpoint").out
    assert note.endswith(f"{line}\n")
    assert [path.read_text(encoding="utf-8") for path in folder.iterdir()] == [note]

    vkey = command_line("checkpoint", "--vkey").out.strip()
    file, bundle = tmp_path / "C-1.json", tmp_path / "bundle"
    assert command_line("proof", "C-1", "--out", str(file)).exit_code == 0
    assert command_line("export", str(bundle)).exit_code == 0
    key, other = witness.cosigner.key, Cosigner().key
    for target in ([str(file)], [str(bundle)], []):
        given = ["verify", *target, "--key", vkey, "--json", "--witness"]
        said = json.loads(command_line(*given, key).out)
        assert [(one["witness"], one["at"]) for one in said["cosigned"]] == [
            (key, "2025-11-30T10:53:20+00:00")
        ]
        lacking = command_line(*given, other)
        assert lacking.exit_code == 1
        assert "bears a cosignature" in lacking.err or "bears no cosignature" in lacking.err
    # Whoever runs the ledger knows its witnesses by the settings.
    assert "cosigned by: witness.test/one+" in command_line("verify").out
    plain = verify_evidence(bundle, [VerifierKey.parse(vkey)])
    assert plain.witnessed == ()


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("https://w.example/add#nonsense", "the key of a witness"),
        ("https://w.example/add#w.example+00000000+BAAA", "the key of a witness"),
        (
            f"https://w.example/add#{FIXED.key.replace('+', '+0', 1)}",
            "is not that of its name",
        ),
        ("https://w.example", "is no URL of a witness"),
    ],
)
def test_fault_17_a_key_that_is_none_is_refused_at_once(tmp_path: Path, setting: str, told: str) -> None:
    with pytest.raises(Exception, match="Settings") as refused:
        Settings.load(home=tmp_path, witnesses=setting)
    assert told in str(refused.value)


def test_fault_17_a_witness_may_change_its_key(tmp_path: Path) -> None:
    first, second = Cosigner(), Cosigner()
    settings = Settings.load(home=tmp_path, witnesses=f"https://w.example/add#{first.key}#{second.key}")
    [place] = settings.witness_places
    assert place.url == "https://w.example/add"
    assert [str(key) for key in place.keys] == [first.key, second.key]
