"""A witness in Go cosigns a head of ours, and opens one that carries its cosignature: no code shared.

Runs where Go and its packages are installed (Debian: golang-go, golang-golang-x-mod-dev).
"""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.proofs.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.proofs.errors import BadNote
from ledger.proofs.notes import Ed25519Signer, WitnessKey, cosignatures

GO = shutil.which("go")
GOPATH = Path("/usr/share/gocode")
PROGRAM = Path(__file__).parent / "go_witness"
NAME, SEED, TIME = "witness.example/w1", "07" * 32, 1_764_500_000
LOG = Ed25519Signer("ledger.example/cyber-care", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
HEAD = sign_checkpoint(Checkpoint(LOG.name, 1_200, b"\x05" * 32), [LOG])

pytestmark = pytest.mark.skipif(
    GO is None or not (GOPATH / "src/golang.org/x/mod/sumdb/note").is_dir(),
    reason="needs golang-go and golang-golang-x-mod-dev",
)


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("go") / "go_witness"
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOCACHE": str(built.parent / "cache"),
        "GOFLAGS": "",
    }
    subprocess.run([str(GO), "build", "-o", str(built), "."], cwd=PROGRAM, env=environment, check=True)
    return built


def run(witness: Path, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(witness), *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False)


def test_fault_17_a_cosignature_made_in_go_is_read_and_bound_to_its_head(witness: Path) -> None:
    written = run(witness, "key", NAME, SEED).stdout.strip()
    key = WitnessKey.parse(written)
    assert str(key) == written
    cosigned = run(witness, "cosign", NAME, SEED, str(TIME), given=HEAD).stdout
    [found] = cosignatures(cosigned, [key])
    assert found.at == datetime.fromtimestamp(TIME, UTC)
    assert open_checkpoint(cosigned, [LOG.verifier_key]).size == 1_200
    with pytest.raises(BadNote, match="does not fit the head"):
        cosignatures(cosigned.replace("1200", "1201"), [key])
    other = run(witness, "key", NAME, "08" * 32).stdout.strip()
    assert cosignatures(cosigned, [WitnessKey.parse(other)]) == []


def test_fault_17_what_we_serve_is_opened_in_go_by_both_keys(witness: Path) -> None:
    key = WitnessKey.parse(run(witness, "key", NAME, SEED).stdout.strip())
    cosigned = run(witness, "cosign", NAME, SEED, str(TIME), given=HEAD).stdout
    [found] = cosignatures(cosigned, [key])
    served = HEAD + found.signature.line
    opened = run(witness, "open", str(LOG.verifier_key), str(key), given=served)
    assert (opened.returncode, opened.stdout.split()) == (0, [LOG.name, NAME]), opened.stderr
    altered = served.replace("1200", "1201")
    assert run(witness, "open", str(LOG.verifier_key), str(key), given=altered).returncode == 1
