"""Verify: run it with its progress, see the signed heads, and the key that anybody checks them with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from threading import Lock, Thread
from time import monotonic
from typing import Final, Literal

import structlog

from ledger.app import App
from ledger.proofs.checkpoints import peek_checkpoint
from ledger.proofs.errors import ProofRefused
from ledger.proofs.notes import to_base64
from ledger.store.errors import StoreError
from ledger.store.log import log_state, newest_checkpoint, signed_heads_below
from ledger.verification.database import verify_database
from ledger.verification.trust_anchors import anchors_at_hand
from projections.web.i18n.codes import N_
from projections.web.i18n.problems import NotThere
from projections.web.page import PageRequest, page_of_request
from projections.web.responses import Answer, Download, Leads, Pages, Shown

State = Literal["none", "running", "verified", "refused", "broken_off"]

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
        outside = anchors_at_hand(wiring.signing_place, wiring.settings.witness_keys)
        proof = verify_database(wiring.pool, wiring.book, outside, progress=self._progress(LOG))
        told = {"verified": True} | proof.as_json
        checked: dict[str, object] = {}
        if views:
            for name, check in sorted(wiring.parts.view_checks.items()):
                checked[name] = check(wiring, self._progress(name))._asdict()
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


HEADS: Final = 12
NO_HEAD: Final = N_("No head is signed yet: record something first.")


class Verify:
    """The page of one book's verification."""

    def __init__(self, wiring: App) -> None:
        """Nothing runs yet."""
        self._verifying = Verifying(wiring)

    def register(self, pages: Pages) -> None:
        """Register the page, the run, and its progress."""
        pages.page("/verify", self.show, as_json)
        pages.page("/verify/progress", self.progress, self.progress_as_json)
        pages.form("/verify", self.start, right="read")
        pages.page("/verify/head", download_head)

    def start(self, look: PageRequest) -> Answer:
        """Start a run, unless one goes on."""
        self._verifying.start(look.visitor.actor, views=look.typed.get("views") == "yes")
        return Leads("/verify")

    def progress(self, look: PageRequest) -> Shown:
        """Show the part of the page that a script renews; whole to whoever comes by the address."""
        if not look.is_fragment:
            return self.show(look)
        return Shown("progress.html", {"run": self._verifying.newest})

    def progress_as_json(self, _look: PageRequest) -> object:
        """Return how far the run is and, once it is verified, what `verify --json` prints."""
        run = self._verifying.newest
        if run.state == "verified":
            return run.told
        return {
            "verified": False if run.state == "refused" else None,
            "state": run.state,
            "part": run.part,
            "done": run.done,
            "total": run.total,
            "fault": run.fault,
        }

    def show(self, look: PageRequest) -> Shown:
        """Show the page."""
        wiring = look.wiring
        with wiring.pool.connection() as connection:
            log = log_state(connection, wiring.book)
            heads = list(islice(signed_heads_below(connection, wiring.book, log.epoch, log.size + 1), HEADS))
        return Shown(
            "verify.html",
            {
                "page": page_of_request(look, "verify", position=log.size - 1),
                "log": log,
                "heads": [{"size": size, "root": to_base64(root)} for size, root, _ in heads],
                "run": self._verifying.newest,
                "vkeys": _vkeys(wiring),
            },
        )


def as_json(look: PageRequest) -> object:
    """Return what `checkpoint --json` prints: the newest signed head."""
    note = _note(look)
    head = peek_checkpoint(note)
    return {"origin": head.origin, "size": head.size, "root": to_base64(head.root), "checkpoint": note}


def download_head(look: PageRequest) -> Download:
    """Return the newest signed head, to be kept outside."""
    return Download(f"{look.wiring.book}.checkpoint", _note(look), "text/plain; charset=utf-8")


def _note(look: PageRequest) -> str:
    with look.wiring.pool.connection() as connection:
        note = newest_checkpoint(connection, look.wiring.book)
    if note is None:
        raise NotThere(NO_HEAD)
    return note


def _vkeys(wiring: App) -> list[str]:
    if not wiring.signing_place.key.exists():
        return []
    return [str(key) for key in wiring.signing_place.keys_at_hand().verifier_keys]
