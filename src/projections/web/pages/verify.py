"""Verify: run it with its progress, see the signed heads, and the key that anybody checks them with."""

from itertools import islice
from typing import Final

from ledger.app import App
from ledger.cli.verification import root_text, signing_keys
from ledger.proofs.checkpoints import peek_checkpoint
from ledger.store.log import log_state, newest_checkpoint, signed_heads_below
from projections.web.checking import Verifying
from projections.web.page import Look, page_of_look
from projections.web.serving import Answer, Download, Leads, Pages, Shown
from projections.web.words.codes import N_
from projections.web.words.saying_no import NotThere

HEADS: Final = 12
NO_HEAD: Final = N_("No head is signed yet: record something first.")


class Verify:
    """The page of one book's verification."""

    def __init__(self, wiring: App) -> None:
        """Nothing runs yet."""
        self._verifying = Verifying(wiring)

    def register(self, pages: Pages) -> None:
        """Register the page, the run, and its progress."""
        pages.page("/verify", self.show, twin)
        pages.page("/verify/progress", self.progress, self.progress_twin)
        pages.form("/verify", self.start, right="read")
        pages.page("/verify/head", download_head)

    def start(self, look: Look) -> Answer:
        """Start a run, unless one goes on."""
        self._verifying.start(look.visitor.actor, views=look.typed.get("views") == "yes")
        return Leads("/verify")

    def progress(self, look: Look) -> Shown:
        """Show the part of the page that a script renews; whole to whoever comes by the address."""
        if not look.is_fragment:
            return self.show(look)
        return Shown("progress.html", {"run": self._verifying.newest})

    def progress_twin(self, _look: Look) -> object:
        """Give how far the run is and, once it is verified, what `verify --json` prints."""
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

    def show(self, look: Look) -> Shown:
        """Show the page."""
        wiring = look.wiring
        with wiring.pool.connection() as connection:
            log = log_state(connection, wiring.book)
            heads = list(islice(signed_heads_below(connection, wiring.book, log.epoch, log.size + 1), HEADS))
        return Shown(
            "verify.html",
            {
                "page": page_of_look(look, "verify", position=log.size - 1),
                "log": log,
                "heads": [{"size": size, "root": root_text(root)} for size, root, _ in heads],
                "run": self._verifying.newest,
                "vkeys": _vkeys(wiring),
            },
        )


def twin(look: Look) -> object:
    """Give what `checkpoint --json` prints: the newest signed head."""
    note = _note(look)
    head = peek_checkpoint(note)
    return {"origin": head.origin, "size": head.size, "root": root_text(head.root), "checkpoint": note}


def download_head(look: Look) -> Download:
    """Give the newest signed head, to be kept outside."""
    return Download(f"{look.wiring.book}.checkpoint", _note(look), "text/plain; charset=utf-8")


def _note(look: Look) -> str:
    with look.wiring.pool.connection() as connection:
        note = newest_checkpoint(connection, look.wiring.book)
    if note is None:
        raise NotThere(NO_HEAD)
    return note


def _vkeys(wiring: App) -> list[str]:
    if not wiring.signing_place.key.exists():
        return []
    return [str(key) for key in signing_keys(wiring).verifier_keys]
