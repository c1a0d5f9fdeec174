"""What a digest says. Pure: numbers of contracts, claims and complaints, no name of anybody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from ledger.attempts import FailingItem
from ledger.domain.calendar import ONE_DAY
from ledger.domain.deadlines import Deadline
from ledger.webhooks.problems import SubscriptionProblem
from schedulers.letters.queries import Letter

ENDS = frozenset({"term_end", "notice_end", "withdrawal_end"})
"""What time does by itself: nobody has to be warned of it."""
FIRST_LOOK = 7 * ONE_DAY
"""How far the first digest looks back."""
MOST_LINES = 50
"""Of one section; the command that lists all is named after them."""


@dataclass(frozen=True, slots=True)
class Digest:
    """One book on one Brussels day."""

    book: str
    day: date
    missed: Sequence[Deadline]
    """Missed, and met by nobody since (DeadlineMissed)."""
    missed_now: Sequence[Deadline]
    """Those of them that the last digest did not know."""
    due: Sequence[Deadline]
    """Open, their alert date reached (R7): to be done now."""
    letters_waiting: Sequence[Letter] = ()
    """Not written, for something is missing."""
    letters_unconfirmed: Sequence[Letter] = ()
    """Handed over, their last day near or gone, and no posting confirmed."""
    erasures: int = 0
    """Persons whose erasure is proposed (R13)."""
    clock_apart_seconds: float | None = None
    """The machine's clock ahead of the database's, where they are too far apart."""
    stopped: Sequence[str] = field(default=())
    """Followers with events that they could not take."""
    parked: Sequence[FailingItem] = ()
    """What workers could not handle, and nobody tries any more."""
    subscribers: Sequence[SubscriptionProblem] = ()
    """What is wrong with those who are to be told of events."""

    @property
    def is_calm(self) -> bool:
        """Say whether nothing waits for anybody."""
        return not (
            self.missed_now
            or self.due
            or self.letters_waiting
            or self.letters_unconfirmed
            or self.erasures
            or self.clock_apart_seconds is not None
            or self.stopped
            or self.parked
            or self.subscribers
        )

    @property
    def subject(self) -> str:
        """The line that a mail shows first."""
        if self.is_calm:
            return f"{self.book}, {self.day}: nothing waits"
        parts = [
            f"{len(self.missed_now)} missed since the last digest" if self.missed_now else "",
            f"{len(self.due)} to do" if self.due else "",
            f"letters that wait: {len(self.letters_waiting)}" if self.letters_waiting else "",
            f"postings unconfirmed: {len(self.letters_unconfirmed)}" if self.letters_unconfirmed else "",
            f"erasures proposed: {self.erasures}" if self.erasures else "",
            "clocks apart" if self.clock_apart_seconds is not None else "",
            "a follower has stopped" if self.stopped else "",
            f"parked: {len(self.parked)}" if self.parked else "",
            f"subscribers not told: {len(self.subscribers)}" if self.subscribers else "",
        ]
        return f"{self.book}, {self.day}: {', '.join(part for part in parts if part)}"


def split(
    standing: Iterable[Deadline], day: date, last_digest: date | None
) -> tuple[list[Deadline], list[Deadline], list[Deadline]]:
    """Give what is missed, what of it is new since the last digest, and what is to be done, of a day."""
    rows = [row for row in standing if row.kind not in ENDS]
    missed = [row for row in rows if row.status == "missed"]
    # A deadline is missed at 00:00 of the day after it: that is when the digest of a day can first know.
    since = last_digest or day - FIRST_LOOK
    new = [row for row in missed if missed_from(row) > since]
    due = [row for row in rows if row.status == "open" and row.alert_on <= day]
    return missed, new, due


def missed_from(row: Deadline) -> date:
    """Give the day from whose 00:00 a deadline is missed (R12)."""
    last = row.raw_due_on if row.kind == "termination_letter" else row.due_on
    return last + ONE_DAY


def text(digest: Digest) -> str:
    """Write a digest as plain text."""
    lines = [digest.subject, ""]
    if digest.clock_apart_seconds is not None:
        lines += [
            f"ALARM: this machine's clock is {digest.clock_apart_seconds:+.1f} s apart from the database's.",
            "Time acts by the database's clock: set both by NTP.",
            "",
        ]
    for name in digest.stopped:
        lines += [f"ALARM: {name} could not take some events: see `coverledger doctor`.", ""]
    lines += _section(
        "Subscribers that are not told of all events",
        [one.said for one in digest.subscribers],
        "coverledger subscriptions list",
    )
    lines += _section(
        "Could not be handled: mend the cause, then `coverledger parked replay`",
        [f"{one.worker}  {one.item}: {one.error}" for one in digest.parked],
        "coverledger parked list",
    )
    lines += _section(
        "MISSED since the last digest",
        [_deadline(row) for row in digest.missed_now],
        "coverledger due --status missed",
    )
    lines += _section(
        "To be done now",
        [_deadline(row) for row in digest.due],
        f"coverledger due --status open --before {digest.day + 30 * ONE_DAY}",
    )
    lines += _section(
        "Letters that cannot be written",
        [
            f"{letter.reference}  {letter.kind.replace('_', ' ')} of {letter.about.name}: {letter.told}"
            for letter in digest.letters_waiting
        ],
        "coverledger letters list --status wanted",
    )
    lines += _section(
        "Letters handed over, their posting not confirmed",
        [
            f"{letter.reference}  {letter.about.name}, to be posted by {letter.last_posting_day}"
            for letter in digest.letters_unconfirmed
        ],
        "coverledger letters list --status handed_over",
    )
    if digest.erasures:
        lines += [
            f"Erasures proposed: {digest.erasures:,}. See `coverledger deadlines retention`.",
            "",
        ]
    earlier = len(digest.missed) - len(digest.missed_now)
    if earlier:
        lines += [f"Missed before, and never met: {earlier:,}. See `coverledger due --status missed`.", ""]
    if digest.is_calm:
        lines += ["No deadline was missed or is near, and no letter waits.", ""]
    return "\n".join(lines)


def _section(title: str, rows: Sequence[str], command: str) -> list[str]:
    if not rows:
        return []
    shown = [f"  {row}" for row in rows[:MOST_LINES]]
    more = [f"  … and {len(rows) - MOST_LINES:,} more"] if len(rows) > MOST_LINES else []
    return [f"{title} ({len(rows):,})", *shown, *more, f"  All: {command}", ""]


def _deadline(row: Deadline) -> str:
    return f"{row.due_on}  {row.kind.replace('_', ' '):<26} {row.subject.name}  ({row.rule})"
