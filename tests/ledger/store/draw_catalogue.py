"""Draw `src/ledger/store/catalogue.json` anew from the migrations: `make catalogue`."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from ledger.migrate import migrate
from ledger.postgres import EmbeddedPostgres
from ledger.store import catalogue
from ledger.store.pool import Pool

FILE = Path(catalogue.__file__).with_name(catalogue.EXPECTED)


def written(told: dict[str, str]) -> str:
    """One line a thing, so that two branches seldom meet in one."""
    return json.dumps(dict(sorted(told.items())), indent=0, ensure_ascii=False) + "\n"


def main() -> None:
    """Migrate an empty database and write down what it is made of."""
    home = Path(tempfile.mkdtemp(prefix="coverledger-catalogue-"))
    home.chmod(0o711)
    try:
        with EmbeddedPostgres(home).join() as server:
            migrate(server.superuser_dsn)
            with Pool(server.superuser_dsn, size=1) as pool, pool.transaction() as connection:
                told = catalogue.catalogue(connection)
    finally:
        shutil.rmtree(home)
    FILE.write_text(written(told), encoding="utf-8")
    sys.stdout.write(f"{FILE}: {len(told)} things\n")


if __name__ == "__main__":
    main()
