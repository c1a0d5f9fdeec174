"""Nothing personal reaches a subscriber: seeded values are searched for in every byte that goes out."""

import json

from standardwebhooks.webhooks import Webhook

from fixtures.desk import claim, contract, send
from fixtures.receiver import Receiver
from fixtures.subscribed import delivering, eventually
from ledger.app import App
from ledger.privacy.access import Access
from ledger.privacy.erasure import Erasures
from ledger.webhooks.dispatcher import DispatchSettings
from ledger.webhooks.subscriptions import Subscriptions

SEEDED = (
    "Zebulon Quackenbush",
    "zebulon@quackenbush.example",
    "Kwakstraat 17",
    "he was tricked by a letter",
    "rejected for his own doing",
    "BE71096123456769",
    "an unheard-of complaint",
)


def seeded(wiring: App) -> None:
    """Every personal field that there is, filled."""
    name, email, address, narrative, reason, iban, subject = SEEDED
    person = {"person": "P-7", "name": name}
    whole = person | {"email": email, "address": address}
    victim = person | {"relation": "policyholder", "same_roof": True}
    for command, fields in (
        ("StartContract", contract(policyholder=whole)),
        ("CorrectPerson", {"contract": "CC-1", **whole}),
        ("OpenClaim", claim("K-1", victim=victim, narrative=narrative)),
        ("ReportFurtherIncident", {"claim": "K-1", "occurred_at": "2026-02-02", "narrative": narrative}),
        ("IdentifyClaimant", {"claim": "K-1", "method": "callback"}),
        ("CompleteSubmission", {"claim": "K-1", "completed_at": "2026-02-03"}),
        ("AcceptClaim", {"claim": "K-1", "loss_cents": 10_000}),
        ("IssueRefund", {"claim": "K-1", "payment_reference": "PAY-1", "iban": iban}),
        ("OpenClaim", claim("K-2", victim=victim)),
        ("RejectClaim", {"claim": "K-2", "code": "OUTSIDE_COVER", "reason": reason}),
        ("LodgeComplaint", {"complaint": "X-1", "contract": "CC-1", "received_on": "2026-02-03",
                            "subject": subject}),
    ):  # fmt: skip
        answer = send(wiring, command, fields, "2026-02-03T10:00:00+01:00")
        assert answer.status == "recorded", answer


def test_no_seeded_value_is_in_any_byte_that_goes_out_and_erasures_are_told(
    simulated: App, receiver: Receiver
) -> None:
    subscriptions = Subscriptions(
        simulated.pool, simulated.webhook_secrets, simulated.book, allow_private=True
    )
    secret = subscriptions.add_webhook("erp", receiver.url)
    seeded(simulated)
    Erasures(simulated.ledger).erase("P-7", Access("desk-17", "subject erase", "asked for"))
    simulated.seal()
    with delivering(
        simulated.pool, simulated.webhook_secrets, simulated.book, DispatchSettings(allow_private=True)
    ):
        eventually(lambda: subscriptions.one("erp").lag == 0)
    whole = b"\n".join(
        b"%s %s %s" % (one.path.encode(), json.dumps(one.headers).encode(), one.body) for one in receiver.came
    )
    assert len(receiver.taken) > 12
    for value in SEEDED:
        assert value.encode() not in whole
        assert json.dumps(value).encode() not in whole
    assert b'"box"' not in whole
    for delivery in receiver.taken:
        Webhook(secret).verify(delivery.body, delivery.headers)
    erased = [one.event for one in receiver.taken if one.event["type"].endswith(".SubjectErased.v1")]
    told_of = {event["subject"] for event in erased}
    assert told_of == {"contract/CC-1", "claim/K-1", "claim/K-2", "complaint/X-1"}
    assert {event["data"]["person"] for event in erased} == {"P-7"}
