"""A desk at work beside what is measured: claims of a large book go their way, so many commands a second."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from secrets import token_hex
from threading import Event, Thread
from typing import Final

from benchmarks.large_book import UNTIL

OCCURRED_ON: Final = (UNTIL - timedelta(days=10)).isoformat()


@contextmanager
def recording(host: str, port: int, token: str, rate: float) -> Iterator[None]:
    """Record for the length of the block, about `rate` commands a second."""
    ended = Event()
    failed: list[str] = []

    def work() -> None:
        connection = HTTPConnection(host, port, timeout=60)
        for number, (command, fields) in enumerate(_commands()):
            if ended.wait(1 / rate):
                return
            headers = {
                "Authorization": f"Bearer {token}",
                "Idempotency-Key": f"{fields['claim']}-{number}",
                "Content-Type": "application/json",
            }
            connection.request("POST", f"/v1/cyber-care/commands/{command}", json.dumps(fields), headers)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 201:  # noqa: PLR2004  # recorded
                failed.append(f"{command} answered {answer.status}: {said[:200]!r}")
                return

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if failed:
        raise RuntimeError(failed[0])


def _commands() -> Iterator[tuple[str, dict[str, object]]]:
    """Claims without end: each is opened, identified, advised, complete and accepted."""
    run = token_hex(3)
    started = time.monotonic_ns()
    for number in range(1_000_000):
        contract = f"BIG-{(started + number) % 1_000 * 5 + 1:06d}"  # None of those that gave notice.
        claim = f"LIVE-{run}-{number}"
        victim = {
            "person": contract.replace("BIG", "P"),
            "name": "Holder",
            "relation": "policyholder",
            "same_roof": True,
        }
        yield (
            "OpenClaim",
            {
                "claim": claim,
                "contract": contract,
                "guarantee": "identity",
                "cause": "identity_theft",
                "occurred_at": OCCURRED_ON,
                "channel": "phone",
                "victim": victim,
            },
        )
        yield "IdentifyClaimant", {"claim": claim, "method": "callback"}
        yield "GiveAdvice", {"claim": claim, "topics": ["passwords"]}
        yield "CompleteSubmission", {"claim": claim, "completed_at": UNTIL.isoformat()}
        yield "AcceptClaim", {"claim": claim, "loss_cents": 0}
