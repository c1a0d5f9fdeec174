"""Files of keys are there whole or not at all, whenever the program that makes them is killed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.atomic_files import create_whole
from ledger.sealing.key_files import create_keys, load_keys
from ledger.store.keys import MasterKeys

KILLED_AT_EACH_CALL = """
import os, signal, sys
from pathlib import Path
from ledger.atomic_files import create_whole

def die_at(call):
    real = getattr(os, call)
    def dying(*given, **named):
        if sys.argv[2] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        real(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(os, call, dying)

die_at(sys.argv[1])
create_whole(Path(sys.argv[3]), "all of it", 0o600)
"""


@pytest.mark.parametrize("call", ["open", "fsync", "link"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_program_killed_while_it_makes_a_file_leaves_all_of_it_or_none(
    tmp_path: Path, call: str, moment: str
) -> None:
    path = tmp_path / "master.key"
    words = [sys.executable, "-c", KILLED_AT_EACH_CALL, call, moment, str(path)]
    assert subprocess.run(words, check=False).returncode == -9
    if (call, moment) == ("link", "after"):
        assert path.read_text() == "all of it"
    else:
        assert not path.exists()
        create_whole(path, "all of it", 0o600)
        assert path.read_text() == "all of it"


def test_a_full_disk_leaves_no_key_file_behind_and_the_next_try_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            MasterKeys.create(tmp_path / "m")
        with pytest.raises(OSError, match="No space"):
            create_keys(tmp_path / "s", "a/b")
    assert list(tmp_path.iterdir()) == []
    masters, keys = MasterKeys.create(tmp_path / "m"), create_keys(tmp_path / "s", "a/b")
    assert MasterKeys.read(tmp_path / "m").ids == masters.ids
    assert load_keys(tmp_path / "s").verifier_keys == keys.verifier_keys
