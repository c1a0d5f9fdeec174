"""Each day's head goes to places outside, once a day, and again until it is taken."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

import pytest
from running_witness import RunningWitness

from fixtures.program import Program
from ledger.app import App
from ledger.command_envelope import submission
from ledger.config import Settings
from ledger.domain.calendar import brussels_date
from ledger.proofs.checkpoints import open_checkpoint
from schedulers.anchoring.sender import anchor_targets, keep_heads_outside, send, send_now


@contextmanager
def mail_server(taken: list[tuple[str, bytes]]) -> Iterator[int]:
    """A mail server that takes what it is given, on loopback."""

    class Talking(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 stub\r\n")
            receiver = ""
            while line := self.rfile.readline().decode().strip():
                verb = line.upper().split(":")[0].split(" ")[0]
                if verb == "RCPT":
                    receiver = line.partition("<")[2].partition(">")[0]
                if verb == "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(self.rfile.readline, b".\r\n")
                    taken.append((receiver, b"".join(lines)))
                self.wfile.write(b"221 bye\r\n" if verb == "QUIT" else b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def record(wiring: App, *contracts: str) -> str:
    """Start contracts, seal and sign; the head."""
    for contract in contracts:
        fields = {
            "contract": contract,
            "product": "cyber-care",
            "starts_on": "2026-01-05",
            "policyholder": {"person": f"P-{contract}", "name": "Mila Peeters"},
        }
        answer = wiring.ledger.submit(submission(f"start-{contract}", "StartContract", fields))
        assert answer.status == "recorded", answer
    wiring.seal()
    wiring.sealer.finish()
    return wiring.signing_place.kept_note()


def using(wiring: App, **places_outside: str) -> App:
    wiring.settings = wiring.settings.model_copy(update=places_outside)
    return wiring


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.usefixtures("clock")
def test_a_folder_gets_one_head_a_day_under_the_log_s_name(wiring: App, tmp_path: Path) -> None:
    folder = tmp_path / "outside"
    folder.mkdir()
    using(wiring, checkpoint_folders=str(folder))
    note = record(wiring, "C-1")
    [sent] = send(wiring, anchor_targets(wiring.settings))
    assert sent.taken
    day, slug = brussels_date(wiring.now()), wiring.book_row().origin.replace("/", "_")
    assert files(folder) == {f"{slug}-{day}.checkpoint": note}
    record(wiring, "C-2")
    assert send(wiring, anchor_targets(wiring.settings)) == []
    assert len(files(folder)) == 1


@pytest.mark.usefixtures("clock")
def test_what_was_written_to_a_folder_is_never_overwritten(wiring: App, tmp_path: Path) -> None:
    folder = tmp_path / "outside"
    folder.mkdir()
    using(wiring, checkpoint_folders=str(folder))
    first = record(wiring, "C-1")
    send_now(wiring)
    second = record(wiring, "C-2")
    [sent] = send_now(wiring)
    assert sent.taken
    assert sorted(files(folder).values()) == sorted([first, second])
    [again] = send_now(wiring)
    assert again.taken
    assert len(files(folder)) == 2


def test_a_head_that_was_broken_off_while_it_was_written_is_written_whole(
    wiring: App, tmp_path: Path
) -> None:
    folder = tmp_path / "outside"
    folder.mkdir()
    using(wiring, checkpoint_folders=str(folder))
    note = record(wiring, "C-1")
    send_now(wiring)
    [written] = folder.iterdir()
    for torn in ("", note[:40]):
        written.write_text(torn)
        [sent] = send_now(wiring)
        assert sent.taken
        assert files(folder) == {written.name: note}


def test_a_folder_that_is_away_is_tried_again_until_it_is_there(wiring: App, tmp_path: Path) -> None:
    folder = tmp_path / "outside"
    using(wiring, checkpoint_folders=str(folder))
    record(wiring, "C-1")
    [failed] = send(wiring, anchor_targets(wiring.settings))
    assert not failed.taken
    assert "cannot be written" in failed.told
    folder.mkdir()
    [sent] = send(wiring, anchor_targets(wiring.settings))
    assert sent.taken
    assert send(wiring, anchor_targets(wiring.settings)) == []


def test_a_witness_gets_the_proof_from_the_head_that_it_knows(wiring: App, witness: RunningWitness) -> None:
    using(wiring, witnesses=witness.setting)
    record(wiring, "C-1")
    [first] = send_now(wiring)
    assert (first.taken, first.told) == (True, witness.given[-1])
    keys = wiring.signing_place.keys().verifier_keys
    old = open_checkpoint(witness.asked[0].checkpoint, keys)
    record(wiring, "C-2", "C-3")
    [second] = send_now(wiring)
    assert second.taken
    assert [asked.old_size for asked in witness.asked] == [0, old.size]
    assert witness.asked[1].verify(old, keys).size == witness.size == second.size


def test_a_witness_that_knows_more_than_we_noted_is_given_the_proof_from_there(
    wiring: App, witness: RunningWitness
) -> None:
    using(wiring, witnesses=witness.setting)
    record(wiring, "C-1")
    witness.size = 1
    record(wiring, "C-2")
    [sent] = send_now(wiring)
    assert sent.taken
    assert [asked.old_size for asked in witness.asked] == [0, 1]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((409, "text/x.tlog.size", "99\n"), "it has seen a head of 99 events"),
        ((422, "text/plain", "proof refused"), "it answered 422: proof refused"),
        ((302, "text/plain", ""), "it answered 302"),
        ((200, "text/plain", "thank you"), "it answered no signature lines"),
        ((200, "text/plain", ""), "it answered no signature lines"),
        ((409, "text/x.tlog.size", "9" * 5_000), "it answered 409: 999"),
        ((409, "text/x.tlog.size", "007"), "it answered 409: 007"),
    ],
)
def test_a_witness_that_does_not_cosign_is_told_of(
    wiring: App, witness: RunningWitness, answer: tuple[int, str, str], told: str
) -> None:
    using(wiring, witnesses=witness.setting)
    record(wiring, "C-1")
    witness.answers.append(answer)
    [sent] = send_now(wiring)
    assert not sent.taken
    assert told in sent.told


def test_a_head_is_mailed_with_the_note_attached(wiring: App) -> None:
    taken: list[tuple[str, bytes]] = []
    with mail_server(taken) as port:
        using(wiring, head_mail=f"smtp://127.0.0.1:{port}/?from=ledger@example.be&to=auditor@example.be")
        note = record(wiring, "C-1")
        [sent] = send_now(wiring)
    assert sent.taken
    [(receiver, mailed)] = taken
    for name in ("From", "To", "Date", "Message-ID", "Subject"):  # fault 40
        assert len(message_from_bytes(mailed).get_all(name, [])) == 1, name
    assert receiver == "auditor@example.be"
    [attached] = [
        part.get_payload(decode=True)
        for part in message_from_bytes(mailed).walk()
        if part.get_filename("").endswith(".checkpoint")
    ]
    assert attached == note.encode()


def test_a_password_is_never_mailed_in_clear_nor_told(wiring: App) -> None:
    with mail_server([]) as port:
        url = f"smtp://ledger:hush@127.0.0.1:{port}/?from=ledger@example.be&to=auditor@example.be"
        using(wiring, head_mail=url)
        record(wiring, "C-1")
        [sent] = send_now(wiring)
    assert not sent.taken
    assert "offers no TLS" in sent.told
    assert "hush" not in repr(sent)
    [shown] = [
        s.value
        for s in Settings.load(home=wiring.settings.home, head_mail=url).in_force()
        if s.name == "head_mail"
    ]
    assert "hush" not in str(shown)


def test_one_place_that_is_away_keeps_no_other_from_its_head(
    wiring: App, witness: RunningWitness, tmp_path: Path
) -> None:
    nowhere = "http://127.0.0.1:9/add-checkpoint"
    using(wiring, witnesses=f"{nowhere} {witness.setting}", checkpoint_folders=str(tmp_path))
    record(wiring, "C-1")
    assert {sent.place: sent.taken for sent in send_now(wiring)} == {
        str(tmp_path): True,
        nowhere: False,
        witness.url: True,
    }


def test_nothing_is_sent_before_anything_is_signed(wiring: App, tmp_path: Path) -> None:
    using(wiring, checkpoint_folders=str(tmp_path))
    assert send_now(wiring) == []


@pytest.mark.usefixtures("clock")
def test_the_service_of_up_sends_the_day_s_head_and_ends_when_told(wiring: App, tmp_path: Path) -> None:
    folder, stop = tmp_path / "outside", threading.Event()
    folder.mkdir()
    using(wiring, checkpoint_folders=str(folder))
    record(wiring, "C-1")
    serving = threading.Thread(target=keep_heads_outside, args=(wiring, stop))
    serving.start()
    while not files(folder):
        assert serving.is_alive()
        stop.wait(0.05)
    stop.set()
    serving.join(10)
    assert not serving.is_alive()


@pytest.mark.slow
def test_it_is_sent_by_hand(program: Program, tmp_path: Path) -> None:
    folder = tmp_path / "outside"
    folder.mkdir()
    assert program.run("checkpoint", "--send").returncode in {1, 2}
    at_hand = Program(program.environment | {"COVERLEDGER_CHECKPOINT_FOLDERS": str(folder)})
    policyholder = {"person": "P-1", "name": "Mila Peeters"}
    start = {
        "contract": "C-1",
        "product": "cyber-care",
        "starts_on": "2026-01-05",
        "policyholder": policyholder,
    }
    assert at_hand.run("submit", "StartContract", json.dumps(start)).returncode == 0
    [sent] = at_hand.rows("checkpoint", "--send")
    assert sent["taken"]
    assert len(files(folder)) == 1


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("checkpoint_folders", "not/from/the/root", "does not begin at the root"),
        ("witnesses", "witness.example", "is no URL of a witness"),
        ("head_mail", "smtp://host/?to=a@b", "it is not smtp://HOST:PORT/?from=ADDRESS&to=ADDRESS"),
        *(
            (
                "head_mail",
                f"smtp://host/?from=a@b&to={to}",
                "it is not smtp://HOST:PORT/?from=ADDRESS&to=ADDRESS",
            )
            for to in (
                "a@b%0d%0aBcc:%20c@d",
                "a@b,c@d",
                "a@b&to=c@d",
                "Ada%20%3Ca@b%3E",
                "a",
                "a+b@c",
            )  # fault 2
        ),
    ],
)
def test_a_place_that_cannot_be_one_is_refused_at_once(
    tmp_path: Path, name: str, value: str, told: str
) -> None:
    with pytest.raises(Exception, match="Settings") as refused:
        Settings.load(home=tmp_path, **{name: value})
    assert told in str(refused.value)
