"""The offline verifier as a program, its exit codes, and its memory."""

import subprocess
import sys
from pathlib import Path

import pytest
from made_up_book import SIGNER, made_up_events, write_made_up_bundle

from ledger.proofs.__main__ import main

KEY = str(SIGNER.verifier_key)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("program") / "bundle"
    (head, _) = write_made_up_bundle(directory, list(made_up_events(300)), [200, 300])
    (directory.parent / "kept").write_text(head, encoding="utf-8")
    return directory


def test_it_verifies_a_bundle(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = bundle.parent / "kept"
    assert main([str(bundle), "--key", KEY, "--since", str(kept), "--contract", "C-7"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "verified: 300 events in 60 streams, 3 signed heads"
    assert {"contract/C-7: 6 events, complete", "claim/K-7: 4 events, complete"} <= {*lines}
    assert any(line.startswith("head: ledger.example/cyber-care, 300 events, root ") for line in lines)
    assert lines[-1] == f"signed by: {KEY}"


def test_it_says_in_one_line_what_is_wrong(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(bundle), "--key", KEY, "--contract", "C-99"]) == 1
    assert (
        capsys.readouterr().err == "NOT VERIFIED: contract C-99: the log does not hold it: check its number\n"
    )


@pytest.mark.parametrize("wrong", [["--key", "nonsense"], ["--key", KEY, "--since", "/nowhere"]])
def test_used_wrongly_it_exits_with_2(
    wrong: list[str], bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(bundle), *wrong]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def peak_megabytes(directory: Path) -> float:
    program = (
        "import resource, sys\n"
        "from ledger.proofs.__main__ import main\n"
        "code = main(sys.argv[1:])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"
        "sys.exit(code)\n"
    )
    command = [sys.executable, "-c", program, str(directory), "--key", KEY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is in kilobytes on Linux only")
def test_memory_does_not_grow_with_the_number_of_events(tmp_path: Path) -> None:
    few, many = (list(made_up_events(count)) for count in (512, 25_600))
    write_made_up_bundle(tmp_path / "few", few, [512])
    write_made_up_bundle(tmp_path / "many", many, [25_600])
    content = sum(len(leaf) + len(payload) for leaf, payload in many) / 1e6
    growth = peak_megabytes(tmp_path / "many") - peak_megabytes(tmp_path / "few")
    assert content > 14
    assert growth < 5
