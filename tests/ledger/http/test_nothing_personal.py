"""No personal value in an address, a line of the log, an event to subscribers, a metric or a problem.

The real program, told a story in which each personal field bears a value of its own, well and badly.
"""

import json
import signal
from collections.abc import Mapping

import httpx
import pytest

from fixtures.program import Program, ended_by

SEEDS = {
    "policyholder.name": "Seedname Policyholder",
    "policyholder.email": "seedmail@example.org",
    "policyholder.address": "Seedstreet 1, 1000 Brussels",
    "victim.name": "Seedname Victim",
    "narrative": "Seednarrative of a phisher",
    "reason": "Seedreason of a rejection",
    "iban": "BE71096123456769",
    "subject": "Seedsubject of a complaint",
    "corrected.name": "Seedname Corrected",
    "further": "Seedfurther incident",
}
WORDS = ["Seed", "seedmail", "BE71096123456769"]

PERSON = {"person": "P-1", "name": SEEDS["policyholder.name"], "email": SEEDS["policyholder.email"]}
VICTIM = {"person": "P-2", "name": SEEDS["victim.name"], "relation": "family", "same_roof": True}

STORY: list[tuple[str, dict[str, object]]] = [
    (
        "StartContract",
        {
            "contract": "CC-1",
            "product": "cyber-care",
            "starts_on": "2026-01-01",
            "policyholder": PERSON | {"address": SEEDS["policyholder.address"]},
        },
    ),
    (
        "OpenClaim",
        {
            "claim": "K-1",
            "contract": "CC-1",
            "guarantee": "payment",
            "cause": "fraud",
            "occurred_at": "2026-02-01",
            "channel": "phone",
            "victim": VICTIM,
            "narrative": SEEDS["narrative"],
        },
    ),
    ("ReportFurtherIncident", {"claim": "K-1", "occurred_at": "2026-02-02", "narrative": SEEDS["further"]}),
    ("IdentifyClaimant", {"claim": "K-1", "method": "callback"}),
    ("CompleteSubmission", {"claim": "K-1", "completed_at": "2026-02-03"}),
    ("AcceptClaim", {"claim": "K-1", "loss_cents": 5_000}),
    ("IssueRefund", {"claim": "K-1", "payment_reference": "PAY-1", "iban": SEEDS["iban"]}),
    ("RejectClaim", {"claim": "K-1", "code": "FORCE_MAJEURE", "reason": SEEDS["reason"]}),
    (
        "LodgeComplaint",
        {
            "complaint": "X-1",
            "contract": "CC-1",
            "received_on": "2026-03-01",
            "subject": SEEDS["subject"],
        },
    ),
    ("CorrectPerson", {"contract": "CC-1", "person": "P-1", "name": SEEDS["corrected.name"]}),
]


def malformed(fields: Mapping[str, object]) -> list[bytes]:
    whole = json.dumps(fields)
    return [
        whole[:-1].encode(),
        whole.replace(": ", ": [", 1).encode(),
        json.dumps(fields | {"unknown": SEEDS["narrative"]}).encode(),
        json.dumps(
            fields | {"victim": SEEDS["victim.name"], "policyholder": SEEDS["policyholder.name"]}
        ).encode(),
        json.dumps(fields | {"narrative": {"text": SEEDS["narrative"]}, "iban": [SEEDS["iban"]]}).encode(),
    ]


@pytest.mark.slow
def test_seeded_values_are_found_in_no_address_log_event_metric_or_problem(bare_program: Program) -> None:
    program = bare_program
    # Of a simulated book: in a real one time acts in the midst of what lies in the past.
    assert program.run("init", "--simulated").returncode == 0
    running = program.start("up")
    assert running.stderr is not None
    lines: list[str] = []
    for line in running.stderr:
        lines.append(line)
        if line.startswith("Ready"):
            break
    address = next(line.split()[1] for line in lines if line.startswith("HTTP"))
    made = program.run("token", "create", "--role", "admin", "--name", "desk-17")
    base = f"{address}/v1/cyber-care"
    answers: list[httpx.Response] = []
    with httpx.Client(headers={"Authorization": f"Bearer {made.stdout.strip()}"}, timeout=20) as client:
        for name, fields in STORY:
            for number, body in enumerate([json.dumps(fields).encode(), *malformed(fields)]):
                at = {"at": "2026-03-05T10:00:00+01:00"}
                headers = {"Idempotency-Key": f"{name}-{number}", "Content-Type": "application/json"}
                answers.append(
                    client.post(f"{base}/commands/{name}", content=body, headers=headers, params=at)
                )
        recorded = [answer for answer in answers if answer.status_code == 201]
        assert len(recorded) == len(STORY) - 1  # an accepted claim is not rejected
        last = max(int(answer.headers["Ledger-Position"]) for answer in recorded)
        seen = {"min_position": str(last)}
        views = ("contracts", "claims", "complaints", "limits", "due", "contracts/CC-1", "claims/K-1")
        answers += [client.get(f"{base}/{path}", params=seen) for path in views]
        rest = ("contracts/CC-1/replay", "claims/K-1/history", "events?limit=1000", "contracts.csv")
        answers += [client.get(f"{base}/{path}") for path in rest]
        answers += [client.get(f"{address}/metrics"), client.get(f"{base}/tile/entries/000.p/{last + 1}")]
        opened = client.get(f"{base}/contracts/CC-1/opened", headers={"Access-Reason": "call of P-1"})
        replayed = client.get(f"{base}/claims/K-1/replay/opened", headers={"Access-Reason": "call of P-2"})
    code, said = ended_by(running, signal.SIGTERM)
    assert code == 0

    # The values are there, for those who may see them and say why.
    assert SEEDS["corrected.name"] in opened.text
    assert SEEDS["narrative"] in replayed.text
    told = [str(answer.request.url) + str(answer.headers) + answer.text for answer in answers]
    found = [
        (answer.request.url.path, word)
        for answer, text in zip(answers, told, strict=True)
        for word in WORDS
        if word in text
    ]
    assert found == []
    log = "".join(lines) + said
    assert log.count("http_request") > len(answers)
    assert [word for word in WORDS if word in log] == []
    access = program.rows("subject", "log")
    assert {(line["who"], line["what"], line["why"]) for line in access} == {
        ("desk-17", "http contract show", "call of P-1"),
        ("desk-17", "http replay", "call of P-2"),
    }
    assert [word for word in WORDS if word in json.dumps(access)] == []
