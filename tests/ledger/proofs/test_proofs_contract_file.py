"""One contract's history in one file: verified by anyone with the key, refused when anything is altered."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from made_up_book import ORIGIN, SIGNER, made_up_events, signed_heads

from ledger.proofs.checkpoints import InclusionFile
from ledger.proofs.contract_proof import StreamHistory, verify_contract_file, write_contract_file
from ledger.proofs.errors import ProofRefused
from ledger.proofs.leaf import read_leaf
from ledger.proofs.merkle import Frontier, NodeAt, inclusion_proof, leaf_hash

Content = dict[str, Any]

EVENTS = list(made_up_events(300))
LEAVES = [leaf for leaf, _ in EVENTS]
NODES = {
    NodeAt(*node[:2]): node.hash for node in Frontier().completed_by([leaf_hash(leaf) for leaf in LEAVES])
}
KEYS = [SIGNER.verifier_key]
(OLDER, HEAD) = signed_heads(LEAVES, [299, 300])


def history(stream: str, head: str = HEAD, size: int = 300) -> StreamHistory:
    places = [place for place, leaf in enumerate(LEAVES) if read_leaf(leaf).stream == stream]
    proof = inclusion_proof(places[-1], size, lambda asked: [NODES[place] for place in asked])
    return StreamHistory(
        stream, [EVENTS[place] for place in places], InclusionFile(places[-1], tuple(proof), head)
    )


FILE = write_contract_file("C-7", [history("contract/C-7"), history("claim/K-7")])


def test_a_contract_with_its_claim_verifies() -> None:
    head, proven = verify_contract_file(FILE, KEYS)
    assert (head.origin, head.size) == (ORIGIN, 300)
    assert proven.events == {"contract/C-7": 6, "claim/K-7": 4}


def drop_the_claim(content: Content) -> None:
    del content["streams"][1]


def drop_the_first_event(content: Content) -> None:
    del content["streams"][0]["events"][0]


def drop_the_newest_event(content: Content) -> None:
    del content["streams"][0]["events"][-1]


def drop_all_events(content: Content) -> None:
    content["streams"][0]["events"] = []


def repeat_a_stream(content: Content) -> None:
    content["streams"].append(content["streams"][1])


def swap_the_names(content: Content) -> None:
    content["streams"][0]["stream"] = "contract/C-8"


def change_a_payload(content: Content) -> None:
    content["streams"][1]["events"][2]["payload"] += " "


def change_a_leaf(content: Content) -> None:
    event = content["streams"][1]["events"][3]
    event["leaf"] = event["leaf"].replace("staff-17", "staff-18")


def name_another_contract(content: Content) -> None:
    content["contract"] = "C-8"


def name_another_format(content: Content) -> None:
    content["format"] = "claims-ledger/contract-proof@v2"


def lose_a_field(content: Content) -> None:
    del content["streams"][0]["events"][0]["payload"]


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (drop_the_claim, "does not hold: claim/K-7"),
        (drop_the_first_event, "from version 0 to 2"),
        (drop_the_newest_event, "is not in the tree"),
        (drop_all_events, "no events"),
        (repeat_a_stream, "twice"),
        (swap_the_names, "stands among those of"),
        (change_a_payload, "is not the one its leaf names"),
        (change_a_leaf, "is not in the tree"),
        (name_another_contract, "does not hold it"),
        (name_another_format, "not of the format"),
        (lose_a_field, "cut or altered"),
    ],
)
def test_an_altered_file_is_refused(alter: Callable[[Content], None], reason: str) -> None:
    content = json.loads(FILE)
    alter(content)
    with pytest.raises(ProofRefused, match=reason):
        verify_contract_file(json.dumps(content), KEYS)


def test_a_stream_that_the_contract_does_not_name_is_refused() -> None:
    file = write_contract_file("C-7", [history("contract/C-7"), history("claim/K-7"), history("claim/K-8")])
    with pytest.raises(ProofRefused, match="does not name"):
        verify_contract_file(file, KEYS)


def test_proofs_under_two_heads_are_refused() -> None:
    file = write_contract_file("C-7", [history("contract/C-7"), history("claim/K-7", OLDER, 299)])
    with pytest.raises(ProofRefused, match="one signed head"):
        verify_contract_file(file, KEYS)


@pytest.mark.parametrize("text", ["", "[]", "{}", FILE[:-40]])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(ProofRefused, match="cut or altered"):
        verify_contract_file(text, KEYS)
