"""Proofs made by another implementation, good and bad."""

import json
from base64 import b64decode
from typing import Any

import pytest
from proof_samples import VECTORS

from ledger.proofs.errors import BadProof
from ledger.proofs.merkle import verify_consistency, verify_inclusion

CASES: list[dict[str, Any]] = [
    json.loads(line) for line in (VECTORS / "merkle_proofs.jsonl").read_text().splitlines()
]
# Marked good by its makers, though its roots are not 32 bytes long: a strict verifier refuses it.
ROOTS_OF_OTHER_LENGTHS = {("consistency", "additional/sizes-are-equal-one-and-proof-is-empty.json")}


def read(text: str | None) -> bytes:
    return b64decode(text or "")


def verify(case: dict[str, Any]) -> None:
    proof = [read(node) for node in case["proof"] or []]
    if case["kind"] == "inclusion":
        verify_inclusion(case["leafIdx"], case["treeSize"], read(case["leafHash"]), proof, read(case["root"]))
    else:
        verify_consistency(case["size1"], case["size2"], read(case["root1"]), read(case["root2"]), proof)


def test_all_196_vectors_are_there() -> None:
    assert len(CASES) == 196


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}/{case['name']}")
def test_a_vector_verifies_or_is_refused_as_it_says(case: dict[str, Any]) -> None:
    if case["wantErr"] or (case["kind"], case["name"]) in ROOTS_OF_OTHER_LENGTHS:
        with pytest.raises(BadProof):
            verify(case)
    else:
        verify(case)


def test_the_one_exception_has_roots_of_another_length() -> None:
    (case,) = (case for case in CASES if (case["kind"], case["name"]) in ROOTS_OF_OTHER_LENGTHS)
    assert not case["wantErr"]
    assert len(read(case["root1"])) != 32
