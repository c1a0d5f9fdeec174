"""A verification asked for on a page: it runs beside the pages, one at a time, and tells how far it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.metadata import entry_points
from threading import Lock, Thread
from time import monotonic
from typing import Final, Literal, cast

import structlog

from ledger.app import App
from ledger.cli.verification import VIEW_CHECKS_GROUP, outside_of
from ledger.proofs.errors import ProofRefused
from ledger.store.errors import StoreError
from ledger.verification.database import verify_database
from ledger.verification.findings import CheckedView

State = Literal["none", "running", "verified", "refused", "broken_off"]
Check = Callable[[App, Callable[[int, int], None]], CheckedView]

LOG: Final = "log"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Verification:
    """One run: how far it is, and what came of it."""

    state: State = "none"
    part: str = LOG
    """What is being read: the log, or a view by its name."""
    done: int = 0
    total: int = 0
    started_at: datetime | None = None
    started_by: str = ""
    seconds: float | None = None
    told: Mapping[str, object] = field(default_factory=dict)
    """What `verify --json` prints of a verified database."""
    fault: str | None = None
    """What did not verify, with its position or row."""


class Verifying:
    """Runs verifications of one book. Threads may share it."""

    def __init__(self, wiring: App) -> None:
        """Nothing was asked for yet."""
        self._wiring = wiring
        self._lock = Lock()
        self._run = Verification()

    @property
    def newest(self) -> Verification:
        """The run that goes on, or the last one."""
        return self._run

    def start(self, actor: str, *, views: bool) -> None:
        """Start a run, unless one goes on."""
        with self._lock:
            if self._run.state == "running":
                return
            self._run = Verification("running", started_at=self._wiring.now(), started_by=actor)
        Thread(target=self._verify, kwargs={"views": views}, name="verifying", daemon=True).start()

    def _verify(self, *, views: bool) -> None:
        begun = monotonic()
        try:
            told = self._told(views=views)
        except ProofRefused as fault:
            self._end(begun, "refused", fault=str(fault))
        except StoreError as error:
            self._end(begun, "broken_off", fault=str(error))
        except Exception as error:  # noqa: BLE001  # told on the page, and in the log with where it happened
            self._end(begun, "broken_off", fault=type(error).__name__)
            _log.exception("verification_failed")
        else:
            self._end(begun, "verified", told=told)

    def _told(self, *, views: bool) -> Mapping[str, object]:
        wiring = self._wiring
        outside = outside_of(wiring)
        proof = verify_database(wiring.pool, wiring.book, outside, progress=self._progress(LOG))
        told = {"verified": True} | proof.as_json
        checked: dict[str, object] = {}
        if views:
            for point in sorted(entry_points(group=VIEW_CHECKS_GROUP), key=lambda point: point.name):
                check = cast("Check", point.load())
                checked[point.name] = check(wiring, self._progress(point.name))._asdict()
        return told | {"views": checked}

    def _progress(self, part: str) -> Callable[[int, int], None]:
        def progress(done: int, total: int) -> None:
            self._run = replace(self._run, part=part, done=done, total=total)

        return progress

    def _end(
        self,
        begun: float,
        state: State,
        *,
        told: Mapping[str, object] | None = None,
        fault: str | None = None,
    ) -> None:
        seconds = round(monotonic() - begun, 3)
        self._run = replace(
            self._run,
            state=state,
            seconds=seconds,
            told=dict(told or {}) | ({"seconds": seconds} if told else {}),
            fault=fault,
        )
