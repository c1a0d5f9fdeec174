"""Rows 2 and 40: what cannot be mailed stops no other mail; mails are whole; numbers as people write them."""

import email
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from smtplib import SMTP
from typing import Any

import pytest
from structlog.testing import capture_logs
from test_cancellation import ORIGIN, Postbox, customer, found, let_time_pass, mail_server, sending, started

from fixtures.desk import contract
from fixtures.served import Served
from fixtures.visited import visiting
from ledger.attempts import failing
from ledger.domain import identifiers
from ledger.mail import (
    NO_ADDRESS,
    NO_INTERNATIONAL_ADDRESS,
    MailFolder,
    NotSent,
    address_on_file,
    complete,
    mail_by,
    new_mail,
)
from projections.web.cancellation_mailer import AWAY_SECONDS, NOT_WRITTEN, LinkSender
from projections.web.pages.cancellation import Rate

NO_ADDRESSES = (
    "a@example.org\r\nBcc: x@example.net",
    "a@example.org\nBcc: x@example.net",
    "a@[",
    "<",
    "=?utf-8?q?a?=@example.org",
    "a@example.org, b@example.net",
    "a@example.org;b@example.net",
    "a@example.org b@example.net",
    "Ada <a@example.org>",
    "<a@example.org>",
    "undisclosed-recipients:;",
    "friends: a@example.org, b@example.net;",
    '"a\\" b"@example.org',
    "a@example.org (Ada)",
    " a@example.org",
    "a@example.org ",
    "a@b@example.org",
    "a@",
    "@example.org",
    "Ada Peeters",
    "a@exam ple.org",
    "a@example..org",
    "a@[127.0.0.1]",
    "a\u202e@example.org",
    "a@ex\u200bample.org",
    "a@example.org\u2028",
    "a" * 400 + "@example.org",
)
ADDRESSES = ("ada@example.org", "o'brien+claims@mail.example.co.uk", "zoë@example.org", "ada@bücher.example")


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Customers may send as many forms as a test has cases."""
    monkeypatch.setattr(Rate, "allows", lambda _self, _address: True)


@contextmanager
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take any text for an address, as the ledger once did."""
    with monkeypatch.context() as patched:
        patched.setattr(identifiers, "email_address", lambda text: (text, ""))
        yield


def test_fault_02_what_is_not_exactly_one_address_is_refused_with_its_reason(served: Served) -> None:
    fields = contract("CC-1", "2025-06-15")
    headers = served.bearing("back_office") | {"Idempotency-Key": "no-address"}
    for text in NO_ADDRESSES:
        holder = {"person": "P-CC-1", "name": "Ada", "email": text}
        for name, asked in (
            ("StartContract", fields | {"policyholder": holder}),
            ("CorrectPerson", {"contract": "CC-1", "person": "P-CC-1", "email": text}),
        ):
            refused = served.client.post(served.path(f"/commands/{name}"), json=asked, headers=headers)
            assert refused.status_code == 422, text
            assert "must be one e-mail address like ada@example.org" in refused.json()["detail"]


def test_fault_02_one_address_in_any_script_is_taken(served: Served) -> None:
    for number, text in enumerate(ADDRESSES):
        started(served, f"CC-{number}", email=text)
    for text in ADDRESSES:
        assert str(address_on_file(text).addr_spec).isascii() is (text != "zoë@example.org")
    assert address_on_file("ada@bücher.example").domain == "xn--bcher-kva.example"


@pytest.mark.slow
@pytest.mark.usefixtures("unhurried")
def test_fault_02_requests_that_cannot_be_mailed_are_parked_and_shown_and_the_others_go(
    served: Served, postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = {f"CC-odd-{number}": text for number, text in enumerate(NO_ADDRESSES)}
    with as_before(monkeypatch):
        for number, text in odd.items():
            started(served, number, email=text)
    started(served, "CC-plain")
    with customer(served) as visitor:
        for number in (*odd, "CC-plain"):
            assert visitor.post("/cancel", {"number": number}).status_code == 303
    with capture_logs() as logged:
        assert sending(served, postbox).send_waiting() == 1
        assert sending(served, postbox).send_waiting() == 0
    assert [str(mail["To"]) for mail in postbox.taken] == ["ada@example.org"]
    assert not any(text in str(logged) for text in NO_ADDRESSES if "@" in text and len(text) > 4)
    requests = {str(request.contract): request for request in found(served)}
    assert requests.pop("CC-plain").mailed_at is not None
    assert {(one.mail_told, one.mail_parked, one.mail_tries) for one in requests.values()} == {
        (NO_ADDRESS, True, 1)
    }
    with served.wiring.pool.connection() as connection:
        parked = [one for one in failing(connection, served.wiring.book) if one.worker == "cancellation"]
    assert {one.item for one in parked} == {one.request for one in requests.values()}
    with visiting(served, "back_office") as desk:
        page = desk.get("/cancellations").text
    assert page.count("what is on file is not one e-mail address: correct the policyholder") == len(odd)
    assert "Bcc" not in page

    [first, *_] = requests
    fields = {"contract": first, "person": f"P-{first}", "email": "right@example.org"}
    served.command("CorrectPerson", fields)
    with visiting(served, "back_office") as desk:
        assert desk.get("/contracts").status_code == 200
    let_time_pass(served)
    with served.wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("update ledger.attempts set next_at = clock_timestamp()")
    assert sending(served, postbox).send_waiting() == 1
    assert str(postbox.taken[-1]["To"]) == "right@example.org"


def test_fault_02_an_error_that_nobody_foresaw_stops_no_other_request(
    served: Served, postbox: Postbox
) -> None:
    for number in ("CC-1", "CC-2", "CC-3"):
        started(served, number, email=f"{number.lower()}@example.org")
        with customer(served, f"192.0.2.{number[-1]}") as visitor:
            visitor.post("/cancel", {"number": number})

    def breaks(message: EmailMessage, receiver: Address, reference: str) -> None:
        if receiver.username == "cc-1":
            text = f"cannot mail {receiver}"
            raise KeyError(text)
        postbox(message, receiver, reference)

    with capture_logs() as logged:
        assert LinkSender(served.wiring, breaks, ORIGIN).send_waiting() == 2
    assert "cc-1@" not in str(logged)
    with served.wiring.pool.connection() as connection:
        [failed] = failing(connection, served.wiring.book)
    assert (failed.tries, failed.is_parked, failed.error.split()[0]) == (1, False, "KeyError")


def test_fault_02_a_mail_server_that_is_away_is_no_requests_fault(served: Served, postbox: Postbox) -> None:
    for number in ("CC-1", "CC-2"):
        started(served, number)
        with customer(served) as visitor:
            visitor.post("/cancel", {"number": number})
    away = mail_by("smtp://127.0.0.1:1/?from=desk@ledger.example")
    is_back: list[bool] = []
    waits = LinkSender(served.wiring, away, ORIGIN, lambda: bool(is_back))
    assert waits.send_waiting() == 0
    assert {one.mail_tries for one in found(served)} == {0, 1}
    with served.wiring.pool.connection() as connection:
        assert failing(connection, served.wiring.book) == []
    assert timedelta(seconds=AWAY_SECONDS) < timedelta(minutes=1)
    assert sending(served, postbox).send_waiting() == 2  # As after a restart: nothing was counted.


def test_fault_02_a_folder_for_mail_that_cannot_be_written_is_told_and_tried_again(
    served: Served, tmp_path: Path
) -> None:
    started(served, "CC-1")
    started(served, "CC-2")
    for number in ("CC-1", "CC-2"):
        with customer(served) as visitor:
            visitor.post("/cancel", {"number": number})
    folder = tmp_path / "mail"
    [request, _] = sorted(found(served), key=lambda one: str(one.contract))
    (folder / f"cancellation-{request.request}.eml").mkdir(parents=True)
    assert LinkSender(served.wiring, MailFolder(folder), ORIGIN).send_waiting() == 1
    assert [one.mail_told for one in found(served) if one.request == request.request] == [NOT_WRITTEN]
    (folder / f"cancellation-{request.request}.eml").rmdir()
    let_time_pass(served)
    assert LinkSender(served.wiring, MailFolder(folder), ORIGIN).send_waiting() == 1
    [one, other] = [email.message_from_bytes(file.read_bytes(), policy=default) for file in folder.iterdir()]
    for mail in (one, other):
        assert_whole(mail)


def assert_whole(mail: Any) -> None:  # noqa: ANN401  # what the parser gives
    """What RFC 5322 asks of every mail, each header once."""
    for name in ("From", "To", "Date", "Message-ID", "Subject"):
        assert len(mail.get_all(name)) == 1, name
    assert len(mail["To"].addresses) == 1
    assert abs(mail["Date"].datetime - datetime.now(UTC)) < timedelta(minutes=5)
    assert mail["Message-ID"].strip().startswith("<")
    assert mail["Message-ID"].strip().endswith(">")
    assert mail.defects == []


def test_fault_40_a_mail_is_whole_whatever_stands_in_its_subject_and_text() -> None:
    heard: list[str] = []
    hostile = "CC\u2028Bcc: x@example.net\r\nBcc: y@example.net\x85Cc: z@example.net"
    with mail_server(heard) as port:
        send = mail_by(f"smtp://127.0.0.1:{port}/?from=desk@ledger.example")
        send(new_mail(hostile, f"{hostile}\r\n.\r\nMAIL FROM:<x@example.net>\n"), ADA, "cancellation-1")
    said = [line for line in heard if line.lower().startswith(("mail from", "rcpt to"))]
    assert [line.lower() for line in said if "<" in line][:2] == [
        next(line.lower() for line in heard if line.lower().startswith("mail from")),
        "rcpt to:<ada@example.org>",
    ]
    begin = next(at for at, line in enumerate(heard) if line.lower() == "data") + 1
    mail = email.message_from_string("\n".join(heard[begin:]), policy=default)
    assert_whole(mail)
    assert mail["Message-ID"] == "<cancellation-1@ledger.example>"
    assert (mail["Bcc"], mail["Cc"]) == (None, None)


ADA = Address(username="ada", domain="example.org")


def test_fault_40_the_date_and_the_id_of_a_mail_stand_once_however_often_it_is_sent() -> None:
    mail = new_mail("Confirm", "Hello")
    for _ in range(2):
        complete(mail, Address(username="desk", domain="ledger.example"), ADA, "c-1")
    assert_whole(email.message_from_bytes(mail.as_bytes(), policy=default))


def test_fault_02_a_server_without_international_addresses_is_told_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(SMTP, "has_extn", lambda _self, _name: False)
    mail = new_mail("Confirm", "Hello")
    with mail_server(heard) as port, pytest.raises(NotSent, match=NO_INTERNATIONAL_ADDRESS):
        mail_by(f"smtp://127.0.0.1:{port}/?from=desk@ledger.example")(
            mail, address_on_file("zoë@example.org"), "c-1"
        )


AS_WRITTEN = (
    "CC-7-00061",
    "cc-7-00061",
    "CC 7 00061",
    "cc700061",
    " Cc - 7 - 00061 ",
    "CC\u20117\u201300061",
    "cc\u00a07\u202f00061",
    "CC\u22127\u200b-00061",
    "C C 7 0 0 0 6 1",
)


@pytest.mark.usefixtures("unhurried")
def test_fault_40_a_number_is_found_in_any_case_and_with_blanks_and_hyphens(
    served: Served, postbox: Postbox
) -> None:
    started(served, "CC-7-00061")
    started(served, "CC-7-00062", email="ben@example.org")
    with customer(served) as visitor:
        for typed in AS_WRITTEN:
            answer = visitor.post("/cancel", {"number": typed})
            assert (answer.status_code, answer.headers["location"]) == (303, "/cancel/received")
    assert [one.contract for one in found(served)] == ["CC-7-00061"] * len(AS_WRITTEN)
    assert sending(served, postbox).send_waiting() == 1  # At most one a day.
    assert str(postbox.taken[0]["To"]) == "ada@example.org"


def test_fault_40_of_numbers_that_are_alike_the_one_that_is_meant_is_found_or_none(served: Served) -> None:
    for number in ("CC-1", "cc 1"):
        started(served, number)
    with customer(served) as visitor:
        answers = {
            (answer.status_code, answer.text, answer.headers["location"])
            for answer in (visitor.post("/cancel", {"number": number}) for number in ("CC-1", "cc 1", "cc1"))
        }
    assert len(answers) == 1
    with served.wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select contract from projections.cancellation_requests order by received_at, request")
        assert {number for (number,) in cursor.fetchall()} == {"CC-1", "cc 1", None}


def test_fault_40_the_page_promises_a_link_only_where_one_goes(served: Served) -> None:
    with customer(served) as visitor:
        text = visitor.get("/cancel/received").text
    assert "If the number is that of a contract with an e-mail address on file, we send a link there" in text
    assert "at most one a day" in text
