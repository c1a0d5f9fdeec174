"""The log over HTTP, read by a C2SP client that is not ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tlog_scales.backend import HttpBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import Checkpoint, InclusionProof

from fixtures.desk import contract, send
from fixtures.served import Served, listening, token_of

EVENTS = 280
"""Enough for a full tile and a partial one."""


@pytest.fixture(scope="module")
def logged(house: Served) -> Served:
    for number in range(EVENTS):
        assert send(house.wiring, "StartContract", contract(f"CC-{number}")).status == "recorded"
    house.wiring.seal()
    house.wiring.finish()
    return house


@contextmanager
def client(served: Served, role: str | None) -> Iterator[HttpBackend]:
    """A client of the log at a true server, as it comes; `role`: whose token its session bears."""
    with listening(served.wiring) as base:
        backend = HttpBackend(f"{base}/v1/cyber-care")
        if role is not None:
            backend.session.headers["Authorization"] = f"Bearer {token_of(served.wiring, role)}"
        with backend.session:
            yield backend


@pytest.mark.slow
def test_a_client_of_the_standard_reads_the_log_and_proves_its_entries(logged: Served) -> None:
    vkey = str(logged.wiring.signing_place.keys().verifier_keys[0])
    with client(logged, "auditor") as backend:
        reader = TilesReader(backend)
        head = reader.get_checkpoint()
        head.verify(Vkey.from_string(vkey))
        assert head.size == EVENTS
        assert reader.calculate_root_hash() == head.root_hash
        for position in (0, 1, 255, 256, head.size - 1):
            entry = reader.get_entry(position)
            assert b'"stream":"contract/CC-' in entry
            proof = reader.get_inclusion_proof(position, head.size)
            InclusionProof(position, head.size, proof.node_hashes).check(leaf_hash(entry), head.root_hash)


@pytest.mark.slow
def test_the_head_is_open_to_all_and_the_tiles_are_not(logged: Served) -> None:
    with client(logged, None) as stranger:
        head = stranger.get("checkpoint")
        assert head is not None
        assert Checkpoint.from_text(head.decode()).size == EVENTS
        assert stranger.get("tile", "0", "000") is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("tile/0/000", 200),
        ("tile/0/001.p/24", 200),
        ("tile/1/000.p/1", 200),
        ("tile/entries/000", 200),
        ("tile/entries/001.p/24", 200),
        ("tile/0/001.p/23", 200),
        ("tile/0/001.p/25", 404),
        ("tile/0/001", 404),
        ("tile/entries/001", 404),
        ("tile/1/000.p/2", 404),
        ("tile/2/000.p/1", 404),
        ("tile/0/0", 404),
        ("tile/0/000.p/0", 404),
        ("tile/0/000.p/256", 404),
        ("tile/8/000", 404),
        ("tile/0/x000/000", 404),
        ("tile/0/%2e%2e/%2e%2e/checkpoint", 404),
    ],
)
def test_only_what_the_head_covers_is_served_under_its_one_name(
    logged: Served, path: str, status: int
) -> None:
    assert logged.get(f"/{path}", "auditor").status_code == status


def test_before_anything_is_recorded_there_is_no_head(served: Served) -> None:
    nothing = served.client.get(f"{served.base}/checkpoint")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "NOT_FOUND")
