"""Rules on imports that import-linter has no words for."""

import subprocess
import sys
from pathlib import Path

import pytest

from architecture.sources import PACKAGES, ROOT, SOURCE, imported, modules


def test_the_contracts_of_import_linter_hold() -> None:
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_the_domain_imports_pydantic_and_the_standard_library_only() -> None:
    foreign = [
        f"{module} imports {name}"
        for module, path in modules("ledger.domain")
        for name in imported(path)
        if name.split(".")[0]
        not in sys.stdlib_module_names | {"pydantic", "pydantic_core", "email_validator", "stdnum"}
        and not name.startswith("ledger.domain.")
    ]
    assert foreign == []


def test_nobody_imports_the_stock_postgres_module_of_eventsourcing() -> None:
    importing = [
        f"{module} imports {name}"
        for module, path in modules()
        for name in imported(path)
        if f"{name}.".startswith(("eventsourcing.postgres.", "psycopg."))
    ]
    assert importing == []


def test_deadline_policies_do_not_import_each_other() -> None:
    policies = {
        module: path
        for module, path in modules("ledger.domain.deadlines")
        if "def react(" in path.read_text()
    }
    among = [
        f"{module} imports {name}"
        for module, path in policies.items()
        for name in imported(path)
        for other in policies
        if other != module and f"{name}.".startswith(f"{other}.")
    ]
    assert among == []


def test_the_warden_starts_on_the_standard_library_alone() -> None:
    started = subprocess.run(
        [sys.executable, "-S", "-P", "-m", "ledger.postgres.supervisor", "--help"],
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(SOURCE)},
    )
    assert started.returncode == 0, started.stderr


@pytest.mark.parametrize("package", ["ledger", "projections", "schedulers"])
def test_each_package_opens_with_the_sentence_that_all_rests_on(package: str) -> None:
    sentence = "The ledger decides. Projections show. Schedulers remind."
    assert sentence in (SOURCE / package / "__init__.py").read_text()


def test_the_second_readings_of_the_tests_share_no_code_with_what_they_test() -> None:
    shared = [
        f"{path.relative_to(ROOT)} imports {name}"
        for folder in ("oracle", "recomputed")
        for path in sorted((ROOT / "tests" / folder).glob("*.py"))
        for name in imported(path)
        if name.split(".")[0] in PACKAGES and not path.name.startswith(("test_", "implementation"))
    ]
    assert shared == []
