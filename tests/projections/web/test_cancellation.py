"""The customer's cancellation: one answer for any number, one notice however often it is confirmed."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from threading import Thread

import pytest

from fixtures.desk import contract
from fixtures.served import Served
from fixtures.visited import Visited, visiting
from ledger.attempts import SCHEDULE, replay
from ledger.domain.identifiers import contract_ref
from ledger.mail import NOT_TAKEN, MailServerAway, NotSent, mail_by, new_mail
from ledger.privacy.access import Access, access_lines
from ledger.privacy.erasure import Erasures
from projections.cancellation_requests import CancellationRequest, requests
from projections.web.cancellation_mailer import NO_ADDRESS, SENT_LATELY, LinkSender

ORIGIN = "https://ledger.example"
ADA = Address(username="ada", domain="example.org")


class Postbox:
    """Takes mail, or refuses it."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.refuses = False

    def __call__(self, message: EmailMessage, receiver: Address, _reference: str) -> None:
        if self.refuses:
            raise NotSent(NOT_TAKEN)
        message["To"] = receiver
        self.taken.append(message)

    def code(self) -> str:
        found = re.search(rf"{ORIGIN}/cancel/confirm\?code=(\S+)", self.taken[-1].get_content())
        assert found
        return found[1]


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


def started(served: Served, number: str, email: str | None = "ada@example.org", language: str = "en") -> None:
    fields = contract(number, "2025-06-15", language=language)
    holder = dict(fields["policyholder"])  # type: ignore[call-overload]  # an object
    served.command("StartContract", fields | {"policyholder": holder | ({"email": email} if email else {})})


def sending(served: Served, postbox: Postbox) -> LinkSender:
    return LinkSender(served.wiring, postbox, ORIGIN)


def found(served: Served) -> list[CancellationRequest]:
    with served.wiring.pool.connection() as connection:
        return list(requests(connection, served.wiring.book))


@contextmanager
def customer(served: Served, address: str = "192.0.2.1") -> Iterator[Visited]:
    with visiting(served, None) as stranger:
        stranger.client.headers["X-Forwarded-For"] = address
        yield stranger


def kept(served: Served) -> list[tuple[object, ...]]:
    with served.wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("select contract, state, codes from projections.cancellation_requests")
        return cursor.fetchall()


def test_any_number_gets_the_same_answer_and_what_is_no_contract_is_not_kept(served: Served) -> None:
    started(served, "CC-1")
    with customer(served) as visitor:
        answers = [
            visitor.post("/cancel", {"number": number})
            for number in ("CC-1", "cc-1", "CC-2", "Ada Peeters, Kerkstraat 1")
        ]
        pages = [visitor.get(answer.headers["location"]).text for answer in answers]
    assert {(answer.status_code, answer.text, answer.headers["location"]) for answer in answers} == {
        (303, "", "/cancel/received")
    }
    assert len(set(pages)) == 1
    assert [row[0] for row in kept(served)] == ["CC-1", "CC-1", None, None]


@pytest.mark.slow
def test_an_empty_number_is_told_what_is_missing(served: Served) -> None:
    with customer(served) as visitor:
        answer = visitor.post("/cancel", {"number": "  "})
    assert (answer.status_code, kept(served)) == (422, [])
    assert "The number of the contract is missing" in answer.text


@pytest.mark.slow
def test_a_form_from_another_site_is_refused(served: Served) -> None:
    with customer(served) as visitor:
        answer = visitor.post("/cancel", {"number": "CC-1"}, **{"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, kept(served)) == (403, [])


def test_one_address_sends_five_forms_at_once_and_no_more(served: Served) -> None:
    with customer(served) as visitor:
        told = [visitor.post("/cancel", {"number": f"CC-{n}"}).status_code for n in range(7)]
    assert told == [303] * 5 + [429] * 2
    assert len(kept(served)) == 5


def test_the_link_goes_to_the_address_on_file_in_the_contracts_language_and_the_opening_is_logged(
    served: Served, postbox: Postbox
) -> None:
    started(served, "CC-1", language="nl")
    served.command("CorrectPerson", {"contract": "CC-1", "person": "P-CC-1", "email": "new@example.org"})
    with customer(served) as visitor:
        visitor.post("/cancel", {"number": "CC-1"})
    assert sending(served, postbox).send_waiting() == 1
    [mail] = postbox.taken
    assert mail["To"] == "new@example.org"
    assert mail["Subject"] == "Bevestig de opzegging van uw Cyber Care-contract CC-1"
    with served.wiring.pool.connection() as connection:
        [line] = access_lines(connection, served.wiring.book)
    assert (line.who, line.person, line.stream) == ("site", "P-CC-1", "contract/CC-1")


def test_looking_at_the_link_changes_nothing_and_confirming_it_gives_one_notice_from_the_day_of_the_form(
    served: Served, postbox: Postbox
) -> None:
    started(served, "CC-1")
    with customer(served) as visitor:
        visitor.post("/cancel", {"number": "CC-1"})
        sending(served, postbox).send_waiting()
        looked = visitor.get("/cancel/confirm", params={"code": postbox.code()})
        assert "your cover ends on" in looked.text
        assert "2 Apr 2026" in looked.text
        assert status_of(served, "CC-1") == "active"
        # Ten days later: the notice counts from the form all the same.
        served.wiring.books.move_clock(served.wiring.book, served.wiring.book_row().clock_at.replace(day=11))  # type: ignore[union-attr]  # a simulated book's
        pages = [visitor.post("/cancel/confirm", {"code": postbox.code()}).text for _ in range(2)]
    assert len(set(pages)) == 1
    assert "Your contract is cancelled" in pages[0]
    assert "2 Apr 2026" in pages[0]
    told = notices(served, "CC-1")
    assert [
        (event["actor"], event["payload"]["received_on"], event["payload"]["channel"]) for event in told
    ] == [("cancellation-link", "2026-03-01", "web_form")]


def status_of(served: Served, number: str) -> object:
    served.wiring.catch_up()
    return served.get(f"/contracts/{number}").json()["status"]


def notices(served: Served, number: str) -> list[dict[str, dict[str, object]]]:
    served.wiring.catch_up()
    told = served.get(f"/contracts/{number}/replay").json()
    return [event for event in told if event["type"] == "contract.NoticeReceived"]


@pytest.mark.slow
def test_a_code_that_was_never_sent_confirms_nothing(served: Served) -> None:
    started(served, "CC-1")
    with customer(served) as visitor:
        visitor.post("/cancel", {"number": "CC-1"})
        for code in ("", "none", "x" * 5_000):
            assert visitor.get("/cancel/confirm", params={"code": code[:200]}).status_code == 404
            assert visitor.post("/cancel/confirm", {"code": code}).status_code == 404
    assert status_of(served, "CC-1") == "active"


@pytest.mark.slow
def test_the_desk_and_the_link_together_give_one_notice(served: Served, postbox: Postbox) -> None:
    started(served, "CC-1")
    with customer(served) as visitor, visiting(served, "back_office") as desk:
        visitor.post("/cancel", {"number": "CC-1"})
        sending(served, postbox).send_waiting()
        [request] = found(served)
        csrf = re.search(r'name="csrf" value="([^"]+)"', desk.get("/cancellations").text)[1]  # type: ignore[index]  # it is there
        confirmed = desk.post(f"/cancellations/{request.request}/confirm", {"csrf": csrf})
        assert "Contract CC-1 ends on 2 Apr 2026" in desk.get(confirmed.headers["location"]).text
        again = visitor.post("/cancel/confirm", {"code": postbox.code()})
    assert "Your contract is cancelled" in again.text
    assert [event["actor"] for event in notices(served, "CC-1")] == ["back_office-1"]
    assert [request.state for request in found(served)] == ["confirmed"]


@pytest.mark.slow
def test_a_dismissed_request_is_never_mailed(served: Served, postbox: Postbox) -> None:
    started(served, "CC-1")
    with customer(served) as visitor, visiting(served, "back_office") as desk:
        visitor.post("/cancel", {"number": "CC-1"})
        [request] = found(served)
        csrf = re.search(r'name="csrf" value="([^"]+)"', desk.get("/cancellations").text)[1]  # type: ignore[index]  # it is there
        desk.post(f"/cancellations/{request.request}/dismiss", {"csrf": csrf})
    assert sending(served, postbox).send_waiting() == 0
    assert [(one.state, one.settled_by) for one in found(served)] == [("dismissed", "back_office-1")]
    assert status_of(served, "CC-1") == "active"


@pytest.mark.slow
@pytest.mark.parametrize("erased", [False, True])
def test_without_an_address_on_file_the_desk_is_told_to_confirm(
    served: Served, postbox: Postbox, *, erased: bool
) -> None:
    started(served, "CC-1", email="ada@example.org" if erased else None)
    if erased:
        erasures = Erasures(served.wiring.ledger)
        erasures.erase("P-CC-1", Access("admin-1", "test", "asked for"))
    with customer(served) as visitor:
        visitor.post("/cancel", {"number": "CC-1"})
    assert sending(served, postbox).send_waiting() == 0
    assert [one.mail_told for one in found(served)] == [NO_ADDRESS]


@pytest.mark.slow
def test_nobody_is_flooded_a_contract_gets_one_link_a_day(served: Served, postbox: Postbox) -> None:
    started(served, "CC-1")
    for n in range(4):
        with customer(served, f"192.0.2.{n}") as visitor:
            visitor.post("/cancel", {"number": "CC-1"})
    assert sending(served, postbox).send_waiting() == 1
    assert sorted(str(one.mail_told) for one in found(served)) == sorted(["None", *[SENT_LATELY] * 3])


def test_a_mail_that_is_not_taken_is_tried_again_later_parked_after_several_tries_and_replayed(
    served: Served, postbox: Postbox
) -> None:
    started(served, "CC-1")
    postbox.refuses = True
    with customer(served) as visitor:
        visitor.post("/cancel", {"number": "CC-1"})
    for _ in SCHEDULE:
        assert sending(served, postbox).send_waiting() == 0
        # Not before its time.
        assert sending(served, postbox).send_waiting() == 0
        [request] = found(served)
        assert not request.mail_parked
        let_time_pass(served)
    assert sending(served, postbox).send_waiting() == 0
    [request] = found(served)
    assert (request.mail_told, request.mail_tries, request.state) == (NOT_TAKEN, len(SCHEDULE) + 1, "waiting")
    assert request.mail_parked
    let_time_pass(served)
    postbox.refuses = False
    assert sending(served, postbox).send_waiting() == 0
    with served.wiring.pool.connection() as connection:
        replay(connection, served.wiring.book)
    assert sending(served, postbox).send_waiting() == 1
    assert [(one.mail_told, one.mail_parked) for one in found(served)] == [(None, False)]


def let_time_pass(served: Served) -> None:
    """Bring each next try forward to now."""
    with served.wiring.pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute("update ledger.attempts set next_at = clock_timestamp() where next_at is not null")


@pytest.mark.slow
def test_a_program_that_dies_while_sending_sends_again_and_either_link_confirms(
    served: Served, postbox: Postbox
) -> None:
    started(served, "CC-1")

    class Died(BaseException):
        pass

    def dies_after_sending(message: EmailMessage, receiver: Address, reference: str) -> None:
        postbox(message, receiver, reference)
        raise Died

    with customer(served) as visitor:
        visitor.post("/cancel", {"number": "CC-1"})
        with pytest.raises(Died):
            LinkSender(served.wiring, dies_after_sending, ORIGIN).send_waiting()
        first = postbox.code()
        with served.wiring.pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute("update projections.cancellation_requests set mail_due_at = clock_timestamp()")
        assert sending(served, postbox).send_waiting() == 1
        assert postbox.code() != first
        assert "your cover ends on" in visitor.get("/cancel/confirm", params={"code": first}).text


@pytest.mark.slow
def test_on_a_contract_that_has_ended_the_link_says_so_and_records_nothing(
    served: Served, postbox: Postbox
) -> None:
    started(served, "CC-1")
    with customer(served) as visitor:
        visitor.post("/cancel", {"number": "CC-1"})
        sending(served, postbox).send_waiting()
        served.command("GiveNotice", {"contract": "CC-1", "received_on": "2026-02-20", "channel": "counter"})
        looked = visitor.get("/cancel/confirm", params={"code": postbox.code()})
        confirmed = visitor.post("/cancel/confirm", {"code": postbox.code()})
    for page in (looked, confirmed):
        assert "Nothing more to cancel" in page.text
        assert "21 Mar 2026" in page.text
    assert len(notices(served, "CC-1")) == 1
    assert [(one.state, one.settled_because) for one in found(served)] == [("refused", "NOTICE_STANDS")]


def test_mail_goes_to_a_real_server_with_its_sender_and_a_reference_of_its_own() -> None:
    heard: list[str] = []
    with mail_server(heard) as port:
        send = mail_by(f"smtp://127.0.0.1:{port}/?from=desk@ledger.example")
        send(new_mail("Confirm", "Hello"), ADA, "cancellation-1")
    said = "\n".join(heard)
    assert "mail FROM:<desk@ledger.example>" in said
    assert "rcpt TO:<ada@example.org>" in said
    assert "Message-ID: <cancellation-1@ledger.example>" in said


def test_a_server_that_is_away_is_told_without_naming_anybody() -> None:
    with pytest.raises(MailServerAway) as told:
        mail_by("smtp://127.0.0.1:1/?from=desk@ledger.example")(new_mail("Confirm", "Hello"), ADA, "c-1")
    assert "ada" not in str(told.value)


def test_a_password_is_never_sent_in_clear() -> None:
    heard: list[str] = []
    mail = new_mail("Confirm", "Hello")
    with mail_server(heard) as port, pytest.raises(NotSent, match="offers no TLS"):
        mail_by(f"smtp://desk:hush@127.0.0.1:{port}/?from=desk@ledger.example")(mail, ADA, "c-1")
    assert "hush" not in "".join(heard)


@contextmanager
def mail_server(heard: list[str]) -> Iterator[int]:
    """A server that takes one mail without TLS."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rwb") as lines:
            lines.write(b"220 ready\r\n")
            lines.flush()
            in_content = False
            while line := lines.readline():
                said = line.decode().rstrip("\r\n")
                heard.append(said)
                if in_content:
                    in_content = said != "."
                    answer = b"" if in_content else b"250 taken\r\n"
                elif said.lower() == "data":
                    in_content, answer = True, b"354 go on\r\n"
                else:
                    answer = b"221 bye\r\n" if said.lower() == "quit" else b"250 ok\r\n"
                lines.write(answer)
                lines.flush()

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        thread.join(5)
        listening.close()


@pytest.mark.slow
def test_a_request_is_of_the_contract_whose_number_it_is_alone(served: Served) -> None:
    started(served, "CC-1")
    with customer(served) as visitor:
        visitor.post("/cancel", {"number": " CC-1 "})
    assert [one.contract for one in found(served)] == [contract_ref("CC-1").number]
