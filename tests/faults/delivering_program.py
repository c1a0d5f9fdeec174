"""A program of its own that delivers to a book's webhooks, and kills itself at a step by chance.

Arguments: DSN, file of the master keys, book, step, chance. Steps: `before-send`, `before-answer` (the
request is out and the answer not in), `before-checkpoint`, `after-checkpoint`, `never`.
"""

import asyncio
import os
import random
import signal
import sys
from datetime import datetime
from pathlib import Path

from ledger.store.keys import BookKeys, MasterKeys
from ledger.store.pool import Pool
from ledger.store.subscriptions import State, WebhookSecrets
from ledger.webhooks.delivery_repository import DeliveryRepository
from ledger.webhooks.dispatcher import Dispatcher, DispatchSettings
from ledger.webhooks.ordered_queue import QueueChanges
from ledger.webhooks.retry import DeliveryResult
from ledger.webhooks.sender import Sender

LEASE_SECONDS = 1.0
"""So that the next program need not wait for long."""


def main(dsn: str, key_file: str, book: str, step: str, chance: float) -> None:
    _die_at(step, chance)
    with Pool(dsn) as pool:
        secrets = WebhookSecrets(BookKeys(MasterKeys.read(Path(key_file))))
        terms = DispatchSettings(
            allow_private=True, lease_seconds=LEASE_SECONDS, look_seconds=0.05, now=_hurried
        )
        asyncio.run(Dispatcher(pool, secrets, book, terms).deliver(lambda: False))


def _hurried() -> datetime:
    """A clock on which retries are due soon: an hour passes in a second."""
    from ledger.clock import machine_now  # noqa: PLC0415

    now = machine_now()
    begun = datetime(2026, 1, 1, tzinfo=now.tzinfo)
    return begun + (now - begun) * 60


def _die_at(step: str, chance: float) -> None:
    post, note = Sender.post, DeliveryRepository.note

    def perhaps(here: str) -> None:
        if here == step and random.random() < chance:  # noqa: S311 # no secret
            os.kill(os.getpid(), signal.SIGKILL)

    async def dying_post(self: Sender, body: bytes, headers: dict[str, str], now: datetime) -> DeliveryResult:
        perhaps("before-send")
        if step == "before-answer" and random.random() < chance:  # noqa: S311 # as above
            # The receiver has it, or will; the answer is never read.
            asyncio.get_running_loop().call_later(random.uniform(0, 0.004), _kill)  # noqa: S311 # as above
        return await post(self, body, headers, now)

    def dying_note(
        self: DeliveryRepository, changes: QueueChanges, now: datetime, waits_until: datetime | None
    ) -> State | None:
        perhaps("before-checkpoint")
        state = note(self, changes, now, waits_until)
        perhaps("after-checkpoint")
        return state

    Sender.post, DeliveryRepository.note = dying_post, dying_note  # type: ignore[method-assign] # that is the point


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:5], float(sys.argv[5]))
