"""Replay: a history stepped through event by event, both times, what each changed; a proof to take away."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from ledger.domain.identifiers import StreamKind, StreamRef
from ledger.privacy.access import Access
from ledger.proofs.contract_proof import verify_contract_file
from ledger.store.log import newest_checkpoint
from ledger.verification.exports import NothingProven, contract_proof
from projections.queries.replay import Told, replay
from projections.web.i18n.codes import N_, of_event
from projections.web.i18n.language import Words
from projections.web.i18n.problems import BadParameter, NotThere
from projections.web.page import PageRequest, page_of_request
from projections.web.pages.contract import access_of
from projections.web.renderer import PAGES, from_address
from projections.web.responses import TIME, Download, Pages, Shown
from projections.web.time_params import NO_PLACE, looking

CENTS: Final = "_cents"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Changed(NamedTuple):
    """One path of the state, before and after; empty where there was nothing."""

    path: str
    before: str
    after: str


def changed_by(changes: Mapping[str, Sequence[object]], words: Words) -> Sequence[Changed]:
    """Return changes as text. That a figure begins at nothing need not be read."""
    rows = []
    for path, (before, after) in changes.items():
        if before is None and not after:
            continue
        rows.append(Changed(path.removesuffix(CENTS), _said(path, before, words), _said(path, after, words)))
    return rows


def _said(path: str, value: object, words: Words) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return words("yes") if value else words("no")
    if path.endswith(CENTS) and isinstance(value, int):
        return words.amount(value)
    if isinstance(value, str) and _DATE.fullmatch(value):
        return words.day(value)
    return str(value)


VIEWS: Final = ("claims", "complaints")
NO_HEAD_YET: Final = N_("No head is signed yet: record something, and come back in a second.")
NOTHING_PROVEN: Final = N_(
    "Nothing of contract %(number)s is sealed and signed yet. Check the number, or come back in a second."
)
SECTIONS: Final[Mapping[StreamKind, str]] = {
    "contract": "contracts",
    "claim": "claims",
    "complaint": "complaints",
}


def register_replay(pages: Pages) -> None:
    """Register the pages of all kinds of streams, and the proof of a contract."""
    for kind, section in SECTIONS.items():
        told = _Replay(kind)
        pages.page(f"/{section}/{{number}}/replay", told.show, told.as_json, takes=(*TIME, "step"))
        pages.form(f"/{section}/{{number}}/replay/names", told.show_with_names, right="names")
    pages.page("/contracts/{number}/proof", proof)


class _Replay:
    """The replay of one kind of stream."""

    def __init__(self, kind: StreamKind) -> None:
        self._kind = kind

    def as_json(self, look: PageRequest) -> object:
        """Return what `replay` prints."""
        return self._told(look)[0]

    def show(self, look: PageRequest) -> Shown:
        """Show one step, what is personal shut."""
        return self._shown(look, None)

    def show_with_names(self, look: PageRequest) -> Shown:
        """Show one step with what is personal opened; the access log has been told why."""
        access = access_of(look, f"site: replay of a {self._kind}")
        page = f"{PAGES[self._kind](from_address(look.steps['number']))}/replay"
        query = {"step": look.typed.get("step", "")}
        return self._shown(replace(look, path=page, query=query), access)

    def _shown(self, look: PageRequest, access: Access | None) -> Shown:
        events, position = self._told(look, access)
        step = _step(look, events)
        told = events[step]
        number = from_address(look.steps["number"])
        return Shown(
            "replay.html",
            {
                "page": page_of_request(look, SECTIONS[self._kind], position=position),
                "kind": self._kind,
                "number": number,
                "home": PAGES[self._kind](number),
                "events": events,
                "step": step,
                "told": told,
                "title": of_event(look.words, told["type"]),
                "changed": _changes(look, told),
                "before": events[step - 1]["position"] if step else None,
                "after": events[step + 1]["position"] if step + 1 < len(events) else None,
                "personal": told.get("personal"),
                "vkey": _vkey(look) if self._kind == "contract" else None,
            },
        )

    def _told(self, look: PageRequest, access: Access | None = None) -> tuple[Sequence[Told], int]:
        stream = StreamRef(self._kind, from_address(look.steps["number"]))
        with looking(look.wiring, VIEWS, look.asked, access) as reader:
            return replay(reader, stream), reader.position


def _step(look: PageRequest, events: Sequence[Told]) -> int:
    """Find the step asked for: the event at that position; unless one is, the newest. Raises BadParameter."""
    asked = look.query.get("step", "")
    for number, event in enumerate(events):
        if str(event["position"]) == asked:
            return number
    if asked:
        raise BadParameter(NO_PLACE, asked=asked[:40])
    return len(events) - 1


def _changes(look: PageRequest, told: Told) -> Sequence[Changed]:
    changes = told["changes"]
    assert isinstance(changes, Mapping)  # noqa: S101  # as replay gives it
    return changed_by(changes, look.words)


def _vkey(look: PageRequest) -> str | None:
    """Return the key that verifies a proof; None where the log is signed on another machine."""
    place = look.wiring.signing_place
    return str(look.wiring.signing_place.keys_at_hand().verifier_keys[0]) if place.key.exists() else None


def proof(look: PageRequest) -> Download:
    """Return the proof of a contract: the file that `coverledger proof` writes."""
    number = from_address(look.steps["number"])
    wiring = look.wiring
    with wiring.pool.connection() as connection:
        if newest_checkpoint(connection, wiring.book) is None:
            raise NotThere(NO_HEAD_YET)
    try:
        text, _ = contract_proof(wiring.pool, wiring.book, number)
    except NothingProven as error:
        raise NotThere(NOTHING_PROVEN, number=number) from error
    if wiring.signing_place.key.exists():
        # What would not verify is not handed out.
        verify_contract_file(text, wiring.signing_place.keys_at_hand().verifier_keys)
    return Download(f"{number}.proof.json", text, "application/json")
