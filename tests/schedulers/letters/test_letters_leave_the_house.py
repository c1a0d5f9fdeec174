"""Letters from what is due to what was posted: prepared ahead, handed over once, confirmed, erased."""

import csv
import io
import json
from datetime import date, timedelta
from pathlib import Path

import pypdf
import pytest
from letter_desk import (
    PRESS,
    all_letters,
    events,
    fetched,
    start_due_in,
    start_ending_on,
    today,
    with_settings,
)

from fixtures.desk import claim, ready_to_accept, send
from fixtures.moved_clock import MovedClock
from ledger.app import App
from ledger.domain.calendar import brussels_date
from ledger.errors import Rejected
from ledger.privacy.access import Access, access_lines
from ledger.privacy.erasure import Erasures
from oracle.brussels import midnight
from schedulers.letters.config import store_of
from schedulers.letters.handover import Confirmation, confirm
from schedulers.letters.queries import NAME
from schedulers.letters.store import LetterDamaged
from schedulers.letters.worker import hand, prepare
from schedulers.letters.writer import write_answer


def outbox(wiring: App) -> Path:
    return wiring.settings.letters_folder / "outbox"


def test_the_notice_of_a_contract_is_prepared_ahead_and_handed_over_in_time(wiring: App) -> None:
    start_due_in(wiring, "CC-near", days=10, language="fr")
    start_due_in(wiring, "CC-next", days=25)
    start_due_in(wiring, "CC-far", days=50)

    assert prepare(wiring, PRESS) == 2
    assert hand(wiring) == 1

    by_contract = {letter.contract: letter for letter in all_letters(wiring.pool, wiring.book)}
    assert {number: letter.status for number, letter in by_contract.items()} == {
        "CC-near": "handed_over",
        "CC-next": "prepared",
    }
    near = by_contract["CC-near"]
    assert events(wiring, "CC-near")[-2:] == ["contract.LetterPrepared", "contract.LetterHandedOver"]
    assert events(wiring, "CC-next")[-1] == "contract.LetterPrepared"
    [folder] = [path for path in outbox(wiring).iterdir() if not path.name.startswith(".")]
    [row] = list(csv.DictReader(io.StringIO((folder / "manifest.csv").read_text())))
    assert (row["reference"], row["sha256"], row["registered"], row["language"]) == (
        near.reference,
        near.sha256,
        "yes",
        "fr",
    )
    text = pypdf.PdfReader(folder / row["file"]).pages[0].extract_text()
    assert "Zoë Ünal-Désiré" in text
    assert "CC-near" in text


def test_a_second_turn_prepares_and_hands_over_nothing(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=10)
    assert (prepare(wiring, PRESS), hand(wiring)) == (1, 1)
    before = events(wiring, "CC-1")
    assert (prepare(wiring, PRESS), hand(wiring)) == (0, 0)
    assert events(wiring, "CC-1") == before


def test_a_contract_that_ends_otherwise_gets_no_notice(wiring: App) -> None:
    start_due_in(wiring, "CC-notice", days=10)
    start_due_in(wiring, "CC-posted", days=10)
    for number in ("CC-late", "CC-changed"):
        start_due_in(wiring, number, days=10)
    day = today(wiring).isoformat()
    send(wiring, "GiveNotice", {"contract": "CC-notice", "received_on": day, "channel": "counter"})
    posted = {"posted_on": day, "tracking": "RR1BE"}
    send(wiring, "SendTerminationNotice", {"contract": "CC-posted"} | posted)

    assert prepare(wiring, PRESS) == 2
    send(wiring, "GiveNotice", {"contract": "CC-changed", "received_on": day, "channel": "counter"})
    assert hand(wiring) == 1
    statuses = {letter.contract: letter.status for letter in all_letters(wiring.pool, wiring.book)}
    assert statuses == {"CC-late": "handed_over", "CC-changed": "dropped"}


def test_who_has_no_address_is_told_of_and_written_to_once_it_is_known(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=10, policyholder={"person": "P-CC-1", "name": "Ada Peeters"})
    start_due_in(wiring, "CC-2", days=10)
    assert prepare(wiring, PRESS) == 1
    [waiting] = [letter for letter in all_letters(wiring.pool, wiring.book) if letter.status == "wanted"]
    assert waiting.contract == "CC-1"
    assert "no address on file" in str(waiting.told)

    fields = {"contract": "CC-1", "person": "P-CC-1", "address": "Meir 1, 2000 Antwerpen"}
    send(wiring, "CorrectPerson", fields)
    assert prepare(wiring, PRESS) == 1


@pytest.mark.parametrize(
    ("ends_on", "last_day"),
    [
        ("2026-09-11", "2026-06-10"),
        ("2027-03-01", "2026-11-30"),  # 29, 30 and 31 November would end it on the same day, or not at all
        ("2027-02-28", "2026-11-27"),
        ("2027-03-31", "2026-12-30"),
        ("2027-05-31", "2027-02-27"),
        ("2027-06-01", "2027-02-28"),
        ("2028-05-29", "2028-02-28"),
        ("2028-05-31", "2028-02-28"),
        ("2028-06-01", "2028-02-29"),
        ("2027-06-28", "2027-03-27"),  # the night after it, clocks go forward
        ("2028-01-31", "2027-10-30"),  # the night after it, clocks go back
        ("2027-04-01", "2026-12-31"),
    ],
)
def test_fault_60_a_letter_posted_on_its_last_day_ends_the_contract_and_one_a_day_late_renews_it(
    wiring: App, clock: MovedClock, ends_on: str, last_day: str
) -> None:
    last, day_after = date.fromisoformat(last_day), date.fromisoformat(last_day) + timedelta(days=1)
    clock.set(midnight(day_after) + timedelta(hours=12))
    for number in ("CC-timely", "CC-late"):
        start_ending_on(wiring, number, date.fromisoformat(ends_on))
    timely = {"contract": "CC-timely", "posted_on": last.isoformat(), "tracking": "RR1BE"}
    late = {"contract": "CC-late", "posted_on": day_after.isoformat(), "tracking": "RR2BE"}
    assert send(wiring, "SendTerminationNotice", timely).status == "recorded"
    assert send(wiring, "SendTerminationNotice", late).status == "recorded"
    wiring.seal()
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select split_part(stream, '/', 2), payload->>'timely', payload->>'ends_on'"
            " from ledger.history where type = 'contract.TerminationNoticeSent'"
        )
        told = {number: (timely, ends_on is not None) for number, timely, ends_on in cursor.fetchall()}
    assert told == {"CC-timely": ("true", True), "CC-late": ("false", False)}


def test_a_posting_and_a_return_come_back_as_commands_once(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=10)
    prepare(wiring, PRESS)
    hand(wiring)
    [letter] = all_letters(wiring.pool, wiring.book)
    told = Confirmation(letter.reference, posted_on=today(wiring), tracking="RR123456785BE")

    [first] = confirm(wiring, letter, told, "desk-1")
    [again] = confirm(wiring, letter, told, "desk-2")
    assert (first.status, again.status) == ("recorded", "repeated")
    back = Confirmation(letter.reference, returned_on=today(wiring))
    [returned] = confirm(wiring, letter, back, "desk-1")
    wiring.catch_up(NAME)

    assert returned.status == "recorded"
    assert events(wiring, "CC-1")[-2:] == ["contract.TerminationNoticeSent", "contract.LetterReturned"]
    [letter] = all_letters(wiring.pool, wiring.book)
    assert (letter.status, letter.posted_on, letter.tracking) == (
        "returned",
        today(wiring),
        "RR123456785BE",
    )


def test_decisions_and_complaints_are_answered_by_letter_but_history_is_not(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=200)
    ready_to_accept(wiring, "K-old")
    send(wiring, "AcceptClaim", {"claim": "K-old", "loss_cents": 10_000}, "2026-03-02T10:00:00+01:00")
    victim = {"relation": "policyholder", "person": "P-CC-1", "name": "Zoë Ünal-Désiré", "same_roof": True}
    day = brussels_date(wiring.now()).isoformat()
    send(wiring, "OpenClaim", claim("K-new", occurred_at=day, victim=victim))
    send(wiring, "RejectClaim", {"claim": "K-new", "code": "PROFESSIONAL_USE"})
    complaint = {"complaint": "X-1", "contract": "CC-1", "received_on": day, "subject": "Slow"}
    send(wiring, "LodgeComplaint", complaint)
    send(wiring, "AnswerComplaint", {"complaint": "X-1", "on": day})

    assert prepare(wiring, PRESS) == 2
    [waiting] = [letter for letter in all_letters(wiring.pool, wiring.book) if letter.status == "wanted"]
    assert (waiting.kind, "its text" in str(waiting.told)) == ("complaint_answer", True)
    store, reference = store_of(wiring), waiting.reference
    write_answer(wiring, PRESS, store, today(wiring), reference=reference, text="Wij betreuren dit.")
    assert prepare(wiring, PRESS) == 1
    assert hand(wiring) == 3
    [answer] = outbox(wiring).glob(f"*/{waiting.reference}.pdf")
    assert "Wij betreuren dit." in pypdf.PdfReader(answer).pages[0].extract_text()
    with pytest.raises(Rejected, match="already"):
        write_answer(wiring, PRESS, store, today(wiring), reference=reference, text="Nogmaals")
    told = {letter.kind: letter.about.name for letter in all_letters(wiring.pool, wiring.book)}
    assert told == {
        "claim_rejection": "claim/K-new",
        "complaint_acknowledgement": "complaint/X-1",
        "complaint_answer": "complaint/X-1",
    }
    assert events(wiring, "CC-1").count("contract.LetterHandedOver") == 3


def test_a_persons_letters_go_with_the_person(wiring: App) -> None:
    for number in ("CC-1", "CC-2"):
        start_due_in(wiring, number, days=10)
    prepare(wiring, PRESS)
    hand(wiring)
    files = list(wiring.settings.letters_folder.rglob("*.sealed"))
    assert len(files) == len(fetched(outbox(wiring))) == 2
    assert not any(b"PDF" in file.read_bytes() for file in files)

    Erasures(wiring.ledger).erase("P-CC-1", Access("desk", "test", "request"))
    assert wiring.erase_outside() == 2
    assert wiring.erase_outside() == 0
    left = {letter.contract: letter for letter in all_letters(wiring.pool, wiring.book)}
    assert (left["CC-1"].status, left["CC-2"].status) == ("erased", "handed_over")
    assert fetched(outbox(wiring)) == [left["CC-2"].reference]
    assert len(list(wiring.settings.letters_folder.rglob("*.sealed"))) == 1
    assert left["CC-1"].sha256 is not None


def test_a_copy_of_a_letters_file_opens_for_nobody_once_the_person_is_erased(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=10)
    start_due_in(wiring, "CC-2", days=10)
    prepare(wiring, PRESS)
    store = store_of(wiring)
    letters = {letter.contract: letter for letter in all_letters(wiring.pool, wiring.book)}
    with wiring.pool.connection() as connection:
        keys = wiring.store.subject_keys.for_reading(connection, wiring.book, ["P-CC-1", "P-CC-2"])
    assert store.take(letters["CC-1"].digest, keys["P-CC-1"]).startswith(b"%PDF-1.7")
    with pytest.raises(LetterDamaged):
        store.take(letters["CC-1"].digest, keys["P-CC-2"])
    path = store.path(letters["CC-1"].digest)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(LetterDamaged):
        store.take(letters["CC-1"].digest, keys["P-CC-1"])


def test_whoever_is_erased_before_the_letter_leaves_gets_none(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=10)
    start_due_in(wiring, "CC-2", days=10)
    prepare(wiring, PRESS)
    Erasures(wiring.ledger).erase("P-CC-1", Access("desk", "test", "request"))
    assert hand(wiring) == 1
    prepare(wiring, PRESS)
    assert {letter.contract: letter.status for letter in all_letters(wiring.pool, wiring.book)} == {
        "CC-1": "erased",
        "CC-2": "handed_over",
    }


def test_writing_a_letter_stands_in_the_access_log_and_nothing_personal_beside_it(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=10)
    prepare(wiring, PRESS)
    with wiring.pool.connection() as connection:
        lines = access_lines(connection, wiring.book, "P-CC-1")
        with connection.cursor() as cursor:
            cursor.execute("select letters::text from schedulers.letters")
            [(row,)] = cursor.fetchall()
    assert [(line.who, line.what, line.stream) for line in lines] == [("letters", "letters", "contract/CC-1")]
    assert "nal-D" not in row
    assert "glise" not in row


def test_handing_a_letter_over_stands_in_the_access_log_too(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=10)
    prepare(wiring, PRESS)
    hand(wiring)
    with wiring.pool.connection() as connection:
        lines = access_lines(connection, wiring.book, "P-CC-1")
    assert [line.what for line in lines] == ["letters", "letters hand-over"]


def test_no_carrier_means_that_letters_wait(wiring: App) -> None:
    other = with_settings(wiring, letters_carrier="none")
    start_due_in(other, "CC-1", days=10)
    assert (prepare(other, PRESS), hand(other)) == (1, 0)
    other.close()


def test_the_letters_hash_stands_in_the_event(wiring: App) -> None:
    start_due_in(wiring, "CC-1", days=10)
    prepare(wiring, PRESS)
    [letter] = all_letters(wiring.pool, wiring.book)
    wiring.seal()
    with wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(
            "select payload::text, actor from ledger.history where type = 'contract.LetterPrepared'"
        )
        [(payload, actor)] = cursor.fetchall()
    assert json.loads(payload)["sha256"] == letter.sha256
    assert json.loads(payload)["kind"] == "termination_notice"
    assert actor == "letters"
