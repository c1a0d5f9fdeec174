"""A superuser tampers, triggers disabled: `verify --views` finds it and names the first bad row."""

from collections import Counter
from contextlib import closing
from random import Random

import pytest

from faults.row_tampering import RowTamperer
from fixtures.database import Database
from fixtures.signed_book import fault_found, record_signed_book, verified
from ledger.app import App
from ledger.verification import chunks
from ledger.verification.findings import NotVerified
from ledger.verification.rows import KEPT

SHORT, FULL = 60, 1_000


@pytest.mark.slow
def test_random_tamperings_are_found_and_the_first_bad_position_or_row_is_named(
    simulated: App, database: Database, monkeypatch: pytest.MonkeyPatch, *, full: bool
) -> None:
    record_signed_book(simulated, seed=5, steps=160, waiting=6)
    sound = verified(simulated)
    assert sound.proven == sound.size > 100
    assert sound.waiting > 0
    missed: list[str] = []
    met: Counter[str] = Counter()
    with closing(RowTamperer(database.superuser_dsn, simulated.book)) as tamperer:
        for seed in range(FULL if full else SHORT):
            chance = Random(seed)  # noqa: S311  # chance that can be repeated
            monkeypatch.setattr(chunks, "CHUNK_POSITIONS", chance.choice([4_096, 64, 2]))
            what, expected = tamperer.tamper(chance)
            fault = fault_found(simulated, streams_kept=chance.choice([KEPT, 3]))
            met[what] += 1
            if not isinstance(fault, NotVerified) or not expected.met_by(fault.position, fault.row):
                missed.append(f"{seed} {what}: expected {expected}, found {fault!r}")
            tamperer.put_back()
    assert not missed, "\n".join(missed)
    assert len(met) > (40 if full else 20)
    assert verified(simulated) == sound
