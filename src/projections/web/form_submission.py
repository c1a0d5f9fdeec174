"""Forms at work: a command sent once however often its button is pressed, its answer told."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from time import monotonic, sleep
from typing import Final
from uuid import uuid4

from ledger.app import App
from ledger.command_envelope import submission
from ledger.command_handler import Answer, invalid_answer, kept_answer
from ledger.domain.identifiers import StreamRef
from ledger.domain.refusals import Invalid
from ledger.store.canonical import stream_id, stream_ref
from ledger.store.pool import Connection
from projections.queries.reader import known_end
from projections.views.registry import VIEWS
from projections.web.forms import Form
from projections.web.i18n.codes import N_, of_event
from projections.web.i18n.language import Words
from projections.web.i18n.problems import faults_of
from projections.web.page import PageRequest, Said

SHOWN_WITHIN_SECONDS: Final = 3.0
"""A page waits so long for the views to show what was just recorded; then it says that they are behind."""
LOOK_AGAIN_SECONDS: Final = 0.015

POSITIONS: Final = """
select max(position), count(*) from ledger.log where book = %s and (stream_id::text, version) in %s
"""


def new_command_id() -> str:
    """Return the id of a form that is shown for the first time."""
    return str(uuid4())


def version_of(wiring: App, stream: StreamRef) -> int:
    """Return the version that a stream stands at, sealed or not; 0 where there is none."""
    return wiring.store.load_many(wiring.book, [stream]).streams[stream].version


def has_moved_on(look: PageRequest, form: Form, stream: StreamRef) -> bool:
    """Return whether others recorded something on the stream since the form was shown.

    A command that is on record already is no news: it is the same form, sent twice.
    """
    if form.seen_version is None or answered(look, form.command_id) is not None:
        return False
    return version_of(look.wiring, stream) != form.seen_version


def send(look: PageRequest, form: Form, fields: dict[str, object]) -> Answer:
    """Send a form's command under the visitor's own id. What is malformed is answered `invalid`."""
    try:
        sent = submission(
            form.command_id, form.command, fields, actor=look.visitor.actor, sender=look.visitor.sender
        )
    except Invalid as invalid:
        return invalid_answer(form.command_id, invalid)
    return look.wiring.ledger.submit(sent)


def answered(look: PageRequest, command_id: str) -> Answer | None:
    """Return what a command of this visitor was answered first; None where it is not on record."""
    first = look.wiring.store.answer_of(look.wiring.book, look.visitor.sender, command_id)
    return None if first is None else kept_answer(command_id, first.answer)


def wait_until_shown(wiring: App, answer: Answer) -> bool:
    """Wait until every view shows what the command recorded; False when they are still behind."""
    keys = tuple((str(stream_id(wiring.book, stream_ref(e.stream))), e.version) for e in answer.events)
    if not keys:
        return True
    until = monotonic() + SHOWN_WITHIN_SECONDS
    while True:
        with wiring.pool.connection() as connection:
            if _shown(connection, wiring.book, keys):
                return True
        if monotonic() > until:
            return False
        sleep(LOOK_AGAIN_SECONDS)


def _shown(connection: Connection, book: str, keys: Sequence[tuple[str, int]]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(POSITIONS, (book, keys))
        position, sealed = cursor.fetchone() or (None, 0)
    return (
        position is not None and sealed == len(keys) and known_end(connection, book, VIEWS) >= int(position)
    )


def said_of(look: PageRequest) -> Said | None:
    """Return what the command recorded that led to this page (`done` in the address)."""
    command_id = look.query.get("done", "")
    answer = answered(look, command_id) if command_id else None
    if answer is None or answer.status != "recorded":
        return None
    if not wait_until_shown(look.wiring, answer):
        behind = look.words("The pages are a moment behind: read this one again.")
        return Said(N_("Recorded."), "soon", behind, _told(look.words, answer))
    return Said(N_("Recorded."), "good", "", _told(look.words, answer))


def refused(look: PageRequest, form: Form, answer: Answer) -> Form:
    """Return the form with what is wrong: by which rule, in the reader's language, and what to do next."""
    faults = faults_of(look.words, answer)
    # A refusal is remembered under its id: what is sent next is another command.
    return replace(form, faults=faults, command_id=new_command_id(), opened=True)


def _told(words: Words, answer: Answer) -> list[str]:
    return _unique(
        f"{of_event(words, event.type)} · {event.stream.partition('/')[2]}" for event in answer.events
    )


def _unique(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))
