"""`coverledger subscriptions` and `listen`, as they are typed."""

import json
import os

import pytest
from standardwebhooks.webhooks import Webhook

from fixtures.desk import contract
from fixtures.program import CommandLine, Program, ended_by
from fixtures.receiver import Receiver
from fixtures.subscribed import eventually

START = json.dumps(contract())


@pytest.fixture
def typed(command_line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("COVERLEDGER_WEBHOOKS_ALLOW_PRIVATE", "yes")
    return command_line


def test_a_secret_is_shown_once_and_a_subscription_is_listed_paused_resumed_and_removed(
    typed: CommandLine,
) -> None:
    added = typed("subscriptions", "add", "erp", "--webhook", "https://erp.example/hook", "--json")
    assert (added.exit_code, added.json["state"], added.json["position"]) == (0, "active", -1)
    secret = added.json["secret"]
    assert secret.startswith("whsec_")
    for words in (("list",), ("list", "--json"), ("show", "erp"), ("show", "erp", "--json")):
        shown = typed("subscriptions", *words)
        assert (shown.exit_code, shown.err) == (0, "")
        assert "erp" in shown.out
        assert secret not in shown.out
    assert typed("subscriptions", "pause", "erp", "--because", "release").out == "erp is paused.\n"
    [listed] = typed("subscriptions", "list", "--json").json
    assert (listed["state"], listed["because"], listed["lag"]) == ("paused", "release", 0)
    assert "is active" in typed("subscriptions", "resume", "erp").out
    rotated = typed("subscriptions", "rotate-secret", "erp", "--json").json
    assert rotated["secret"] != secret
    assert typed("subscriptions", "remove", "erp").out == "Removed erp, which stood at position -1.\n"
    assert typed("subscriptions", "list", "--json").json == []


def test_what_cannot_be_done_is_said_in_one_line_and_changes_nothing(typed: CommandLine) -> None:
    typed("subscriptions", "add", "erp", "--webhook", "https://erp.example/hook")
    typed("subscriptions", "add", "bus", "--nats", "--after", "-1")
    before = typed("subscriptions", "list", "--json").json
    for exit_code, words in (
        (1, "add erp --webhook https://erp.example/other"),
        (1, "add x --webhook https://ada:secret@erp.example/"),
        (2, "add x"),
        (2, "add x --webhook https://erp.example/ --nats"),
        (2, "add x --webhook https://erp.example/ --type claim.Refund"),
        (2, "add x --webhook https://erp.example/ --after 7"),
        (2, "add -- -x --webhook https://erp.example/"),
        (2, "add bus2 --nats --type claim.RefundIssued"),
        (2, "add bus2 --nats a.b"),
        (1, "pause nobody"),
        (1, "show nobody"),
        (1, "remove nobody"),
        (1, "replay-parked bus"),
        (1, "rotate-secret bus"),
        (1, "resend bus --from 0 --to 0"),
        (2, "resend erp --from 3 --to 1"),
        (2, "resend erp --from 0 --to 0"),
        (2, "resend erp"),
    ):
        told = typed("subscriptions", *words.split())
        assert (told.exit_code, told.out, len(told.err.splitlines())) == (exit_code, "", 1), (words, told)
        assert "secret@" not in told.err
    assert typed("subscriptions", "list", "--json").json == before


def test_a_private_address_is_refused_unless_it_is_allowed_for_development(command_line: CommandLine) -> None:
    for url in ("https://127.0.0.1/hook", "http://erp.example/hook", "https://localhost/hook"):
        told = command_line("subscriptions", "add", "erp", "--webhook", url)
        assert (told.exit_code, len(told.err.splitlines())) == (1, 1)
    assert command_line("subscriptions", "list", "--json").json == []


@pytest.mark.test_all
def test_up_delivers_what_is_recorded_beside_it(program: Program, receiver: Receiver) -> None:
    program.environment["COVERLEDGER_WEBHOOKS_ALLOW_PRIVATE"] = "yes"
    added = program.run("subscriptions", "add", "erp", "--webhook", receiver.url, "--json")
    secret = json.loads(added.stdout)["secret"]
    running = program.up()
    assert program.run("submit", "StartContract", START).returncode == 0
    eventually(lambda: len(receiver.taken) >= 1)
    eventually(lambda: json.loads(program.run("subscriptions", "list", "--json").stdout)[0]["lag"] == 0)
    exit_code, said = ended_by(running)
    assert (exit_code, "service_waits" in said) == (0, False), said
    Webhook(secret).verify(receiver.taken[0].body, receiver.taken[0].headers)
    assert receiver.taken[0].event["type"] == "coverledger.contract.ContractStarted.v1"


def test_listen_posts_signed_events_once_each_and_tells_each_answer(
    typed: CommandLine, receiver: Receiver
) -> None:
    typed("submit", "StartContract", START)
    secret = "whsec_" + "QUJD" * 8
    words = ("listen", "--forward-to", receiver.url, "--since", "-1", "--until-end", "--secret", secret)
    told = typed(*words, "--json")
    assert (told.exit_code, {line["taken"] for line in told.json_lines}) == (0, {True})
    Webhook(secret).verify(receiver.taken[0].body, receiver.taken[0].headers)
    assert {one.event["type"].partition(".")[0] for one in receiver.taken} == {"coverledger"}
    came = len(receiver.came)
    receiver.answer = lambda _: 500
    told = typed(*words)
    assert told.exit_code == 1
    assert "it answered 500 Internal Server Error" in told.out
    assert len(receiver.came) == 2 * came, "nothing is tried again"


@pytest.mark.parametrize(
    "words",
    [
        ("--forward-to", "nowhere"),
        ("--forward-to", "http://localhost:1/", "--secret", "whsec_x"),
        ("--forward-to", "http://localhost:1/", "--secret", "QUJDQUJDQUJDQUJDQUJDQUJDQUJDQUJD"),
        ("--forward-to", "http://localhost:1/", "--since", "yesterday"),
        ("--forward-to", "http://localhost:1/", "--type", "claim.Refund"),
    ],
)
def test_listen_says_what_is_written_wrongly(typed: CommandLine, words: tuple[str, ...]) -> None:
    told = typed("listen", *words)
    assert (told.exit_code, told.out, len(told.err.splitlines())) == (2, "", 1)
    assert os.environ["COVERLEDGER_WEBHOOKS_ALLOW_PRIVATE"] == "yes"


def test_secrets_outlive_a_rotation_of_the_master_key(typed: CommandLine, receiver: Receiver) -> None:
    added = typed("subscriptions", "add", "erp", "--webhook", receiver.url, "--json")
    rotated = typed("keys", "rotate", "--json")
    assert rotated.exit_code == 0, rotated.err
    assert typed("subscriptions", "rotate-secret", "erp", "--json").json["secret"] != added.json["secret"]
