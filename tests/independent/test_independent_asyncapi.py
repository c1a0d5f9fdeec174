"""The AsyncAPI project's own parser on our document: another language, no code shared.

Runs where Node and npm are installed (Debian: nodejs, npm).
"""

import json
import subprocess
from pathlib import Path

import pytest

from fixtures.node import NODE, needs_node
from ledger.feed.publish import Schema, asyncapi_document, published_types

pytestmark = [pytest.mark.test_all, needs_node]


def validated(folder: Path, document: Schema) -> subprocess.CompletedProcess[str]:
    file = folder / "asyncapi.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return subprocess.run(
        [str(NODE), "validate.mjs", str(file)], cwd=folder, capture_output=True, text=True, check=False
    )


def test_it_accepts_the_document_with_a_message_for_each_event_type_and_version(node_folder: Path) -> None:
    done = validated(node_folder, asyncapi_document("coverledger"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"3.0.0 {len(published_types('coverledger'))} messages\n"


@pytest.mark.parametrize("part", ["info", "channels/webhook/messages", "components/messages"])
def test_it_refuses_the_document_with_one_part_put_wrong(node_folder: Path, part: str) -> None:
    document = asyncapi_document("coverledger")
    *way, last = part.split("/")
    holder = document
    for step in way:
        holder = holder[step]
    holder[last] = {"wrong": 1} if last != "info" else {}
    done = validated(node_folder, document)
    assert done.returncode == 1
    assert done.stdout
