"""A superuser at work, triggers disabled: changes one thing and says where that must show."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import psycopg2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.proofs.checkpoints import peek_checkpoint, sign_checkpoint
from ledger.proofs.leaf import Leaf, read_leaf
from ledger.proofs.merkle import Frontier, leaf_hash
from ledger.proofs.notes import Ed25519Signer

TABLES = (
    "ledger.books", "ledger.epochs", "ledger.events", "ledger.pending", "ledger.log", "ledger.log_nodes",
    "ledger.checkpoints", "ledger.head_signatures", "ledger.parted_leaves", "ledger.followers",
    "projections.limits", "projections.due", "projections.contracts",
    "projections.claims", "projections.complaints",
    "projections.remembered", "schedulers.diary", "schedulers.deadlines", "schedulers.retention",
)  # fmt: skip
GUARDED = (
    "epochs", "events", "log", "log_nodes", "checkpoints", "head_signatures", "parted_leaves",
)  # fmt: skip
VIEWS = {"limits": 3, "due": 2, "contracts": 1, "claims": 1, "complaints": 1}
"""With the number of columns that name a row, which come first."""


@dataclass(frozen=True)
class Expected:
    """Where a tampering must show: a position of a range, or a row whose words begin so."""

    first: int | None
    last: int | None
    row: str = ""

    def met_by(self, position: int | None, row: str) -> bool:
        if self.first is None or self.last is None:
            return row.startswith(self.row)
        return position is not None and self.first <= position <= self.last and row.startswith(self.row)


def at(position: int, row: str = "") -> Expected:
    return Expected(position, position, row)


def in_row(row: str) -> Expected:
    return Expected(None, None, row)


class RowTamperer:
    """Tampers with one book, and puts everything back."""

    def __init__(self, dsn: str, book: str) -> None:
        self.book = book
        self.connection = psycopg2.connect(dsn)
        self.connection.autocommit = True
        self.cursor = self.connection.cursor()
        for table in GUARDED:
            self.run(f"alter table ledger.{table} disable trigger append_only")
        self.run("create schema spare")
        for table in TABLES:
            self.run(f"create table spare.{table.replace('.', '_')} as table {table}")
        self.log = self.rows(
            "select l.position, l.stream_id::text, l.version, e.stream, e.leaf from ledger.log l"
            " join ledger.events e using (book, stream_id, version) where l.book = %s order by 1"
        )
        self.size = len(self.log)
        self.heads = [
            size for (size,) in self.rows("select size from ledger.checkpoints where book = %s order by 1")
        ]

    def close(self) -> None:
        self.connection.close()

    def put_back(self) -> None:
        for table in TABLES:
            overriding = "overriding system value" if table == "ledger.pending" else ""
            self.run(f"truncate {table}")
            self.run(f"insert into {table} {overriding} select * from spare.{table.replace('.', '_')}")

    def tamper(self, chance: Random) -> tuple[str, Expected]:
        self.chance = chance
        kind = chance.choice(self.kinds())
        return kind.__name__, kind()

    def kinds(self) -> Sequence[Callable[[], Expected]]:
        return [
            self.a_byte_of_a_payload, self.a_byte_of_a_leaf, self.a_byte_of_a_leaf_hash, self.a_column,
            self.a_column, self.a_column, self.an_actor, self.a_command_id, self.a_key_column,
            self.a_deleted_event, self.an_inserted_event, self.swapped_payloads, self.swapped_events,
            self.a_backdated_event, self.a_rewritten_event, self.a_rewritten_log,
            self.a_deleted_position, self.swapped_positions, self.a_hash_in_the_log,
            self.a_time_of_sealing, self.an_appended_position, self.a_shifted_log, self.a_cut_log,
            self.a_node, self.a_deleted_node, self.an_inserted_node, self.a_moved_node, self.a_root,
            self.a_note, self.a_size, self.a_deleted_head, self.a_forged_head, self.an_inserted_head,
            self.a_name_of_the_log, self.an_epoch, self.a_waiting_event, self.a_deleted_waiting_event,
            self.a_deleted_pending_row, self.an_altered_pending_row, self.a_view_column,
            self.a_view_column, self.a_deleted_view_row, self.an_inserted_view_row, self.a_memory,
            self.a_diary_row,
            self.a_standing_deadline,
            self.a_retention,
        ]  # fmt: skip

    # Events

    def a_byte_of_a_payload(self) -> Expected:
        return self.flip("ledger.events", "payload")

    def a_byte_of_a_leaf(self) -> Expected:
        return self.flip("ledger.events", "leaf")

    def a_byte_of_a_leaf_hash(self) -> Expected:
        return self.flip("ledger.events", "leaf_hash")

    def a_column(self) -> Expected:
        position, stream_id, version, *_ = self.chance.choice(self.log)
        change = self.chance.choice([
            "type = type || 'x'", "type = replace(type, '.', '/')", "schema_version = schema_version + 1",
            "effective_on = effective_on - 1", "effective_on = 'infinity'", "at = at - interval '1 day'",
            "at = at + interval '1 microsecond'", "at = '-infinity'",
            "recorded_at = recorded_at - interval '1 hour'",
            "ordinal = ordinal + 1", "ordinal = -1", "event_id = gen_random_uuid()",
            "correlation_id = gen_random_uuid()", "stream = stream || '0'", "stream = upper(stream)",
            "causation_id = case when causation_id is null then event_id end",
            "causation_id = '00000000-0000-0000-0000-000000000000'",
        ])  # fmt: skip
        self.run(
            f"update ledger.events set {change} where stream_id = %s and version = %s", stream_id, version
        )
        return at(position, "ledger.events")

    def an_actor(self) -> Expected:
        return self.text_column("actor", ["desk-99", "", 'a"b', "é", "time\n"])

    def a_command_id(self) -> Expected:
        return self.text_column("command_id", ["cmd-0", "", "\\", "time:contract/C@x"])

    def a_key_column(self) -> Expected:
        position, stream_id, version, *_ = self.chance.choice(self.log)
        change = self.chance.choice(
            ["book = 'another'", "stream_id = gen_random_uuid()", "version = version + 1000"]
        )
        self.run(
            f"update ledger.events set {change} where stream_id = %s and version = %s", stream_id, version
        )
        return at(position)

    def a_deleted_event(self) -> Expected:
        position, stream_id, version, *_ = self.chance.choice(self.log)
        self.run("delete from ledger.events where stream_id = %s and version = %s", stream_id, version)
        return at(position)

    def an_inserted_event(self) -> Expected:
        """The next of its stream, its leaf chained and hashed as it must be; only nobody recorded it."""
        stream_id, stream, leaf = self.newest_of_a_stream()
        further = leaf._replace(
            version=leaf.version + 1, prev=leaf_hash(leaf.to_bytes()).hex(), causation_id=leaf.event_id
        )
        raw = further.to_bytes()
        self.run(
            "insert into ledger.events select book, stream_id, %s, stream, event_id, type, schema_version,"
            " effective_on, at, recorded_at, command_id, ordinal, actor, correlation_id, "
            "event_id, payload, %s, %s"
            " from ledger.events where stream_id = %s and version = %s",
            further.version, raw, leaf_hash(raw), stream_id, leaf.version,
        )  # fmt: skip
        return in_row(f"ledger.events, {stream}")

    def swapped_payloads(self) -> Expected:
        return self.swap("ledger.events", ("payload",))

    def swapped_events(self) -> Expected:
        columns = ("event_id", "type", "at", "actor", "command_id", "payload", "leaf", "leaf_hash")
        return self.swap("ledger.events", columns)

    def a_backdated_event(self) -> Expected:
        """With its leaf and its leaf hash: only the log remembers."""
        position, stream_id, version, _, raw = self.chance.choice(self.log)
        self.rewrite(stream_id, version, self.backdated(read_leaf(bytes(raw))))
        return at(position, "ledger.events")

    def a_rewritten_event(self) -> Expected:
        """With its leaf hash in the log, too: the tree above remembers."""
        return self.near(self.rewrite_with_its_hash())

    def a_rewritten_log(self) -> Expected:
        """With every node of the tree: the signed heads remember."""
        position = self.rewrite_with_its_hash()
        self.run("delete from ledger.log_nodes where book = %s", self.book)
        hashes = [
            bytes(h)
            for (h,) in self.rows("select leaf_hash from ledger.log where book = %s order by position")
        ]
        for level, first, row in Frontier().grow(hashes):
            for index, node in enumerate(row, first):
                if level:
                    self.run(
                        "insert into ledger.log_nodes values (%s, %s, %s, %s)", self.book, level, index, node
                    )
        proven = max([0, *(head for head in self.heads if head <= position)])
        return Expected(proven, min(head for head in self.heads if head > position) - 1)

    # The log

    def a_deleted_position(self) -> Expected:
        position = self.chance.randrange(self.size)
        self.run("delete from ledger.log where book = %s and position = %s", self.book, position)
        if position == self.size - 1:
            return Expected(position, position)
        return at(position, "ledger.log")

    def swapped_positions(self) -> Expected:
        one, other = sorted(self.chance.sample(range(self.size), 2))
        for position, new in ((one, -1), (other, one), (-1, other)):
            self.run(
                "update ledger.log set position = %s where book = %s and position = %s",
                new,
                self.book,
                position,
            )
        return Expected(one & ~1, one + 1)

    def a_hash_in_the_log(self) -> Expected:
        return self.flip("ledger.log", "leaf_hash")

    def a_time_of_sealing(self) -> Expected:
        position = self.chance.randrange(1, self.size)
        self.run(
            "update ledger.log set sealed_at = '1999-01-01' where book = %s and position = %s",
            self.book,
            position,
        )
        return at(position, "ledger.log")

    def an_appended_position(self) -> Expected:
        """An event that waits, put into the log by hand."""
        self.run(
            "insert into ledger.log select book, %s, stream_id, version, leaf_hash, now() from "
            "ledger.events e"
            " where book = %s and not exists (select from ledger.log l where l.stream_id = e.stream_id"
            " and l.version = e.version) order by recorded_at, version limit 1",
            self.size, self.book,
        )  # fmt: skip
        return Expected((self.size - 1) & ~1, self.size)

    def a_shifted_log(self) -> Expected:
        """A position taken out, the later ones moved up."""
        gone = self.chance.randrange(self.size - 1)
        self.run("delete from ledger.log where book = %s and position = %s", self.book, gone)
        self.run(
            "update ledger.log set position = -position where book = %s and position > %s", self.book, gone
        )
        self.run("update ledger.log set position = -position - 1 where book = %s and position < 0", self.book)
        if gone == 0:
            self.run("update ledger.log set position = 0 where book = %s and position = -1", self.book)
        return Expected(0, self.size)

    def a_cut_log(self) -> Expected:
        """The newest events taken out with all their traces but what is signed."""
        size = self.chance.randrange(self.size)
        self.run(
            "delete from ledger.events e using ledger.log l where l.book = e.book and "
            "l.stream_id = e.stream_id"
            " and l.version = e.version and l.book = %s and l.position >= %s", self.book, size,
        )  # fmt: skip
        self.run("delete from ledger.log where book = %s and position >= %s", self.book, size)
        self.run(
            "delete from ledger.log_nodes where book = %s and (index + 1) << level > %s", self.book, size
        )
        if self.chance.random() < 0.5:
            self.run("delete from ledger.checkpoints where book = %s and size > %s", self.book, size)
        return at(size)

    # The tree

    def a_node(self) -> Expected:
        level, index, stored = self.a_stored_node()
        altered = self.altered(bytes(stored))
        self.run(
            "update ledger.log_nodes set hash = %s where book = %s and level = %s and index = %s",
            altered, self.book, level, index,
        )  # fmt: skip
        return at(index << level, f"ledger.log_nodes, level {level}, index {index}")

    def a_deleted_node(self) -> Expected:
        level, index, _ = self.a_stored_node()
        self.run(
            "delete from ledger.log_nodes where book = %s and level = %s and index = %s",
            self.book,
            level,
            index,
        )
        return at(index << level, f"ledger.log_nodes, level {level}, index {index}")

    def an_inserted_node(self) -> Expected:
        level, index = self.chance.choice(
            [(1, self.size), (0, 0), (9, 9), (-1, 0), (1, -1), (1, self.size // 2)]
        )
        self.run(
            "insert into ledger.log_nodes values (%s, %s, %s, %s)",
            self.book,
            level,
            index,
            self.chance.randbytes(32),
        )
        return in_row(f"ledger.log_nodes, level {level}, index {index}")

    def a_moved_node(self) -> Expected:
        level, index, _ = self.a_stored_node()
        self.run(
            "update ledger.log_nodes set index = index + 100000 where book = %s and level = %s "
            "and index = %s",
            self.book, level, index,
        )  # fmt: skip
        return at(index << level, "ledger.log_nodes")

    # The signed heads

    def a_root(self) -> Expected:
        head = self.chance.choice(self.heads)
        self.run(
            "update ledger.checkpoints set root = %s where book = %s and size = %s",
            self.chance.randbytes(32),
            self.book,
            head,
        )
        return self.head_row(head)

    def a_note(self) -> Expected:
        head = self.chance.choice(self.heads)
        [(note,)] = self.rows("select note from ledger.checkpoints where book = %s and size = %s", head)
        place = self.chance.randrange(len(note))
        other = note[:place] + chr(33 + (ord(note[place]) % 90)) + note[place + 1 :]
        self.run(
            "update ledger.checkpoints set note = %s where book = %s and size = %s", other, self.book, head
        )
        return self.head_row(head)

    def a_size(self) -> Expected:
        head = self.chance.choice(self.heads)
        other = self.chance.choice([n for n in range(-1, self.size + 9) if n not in self.heads])
        self.run(
            "update ledger.checkpoints set size = %s where book = %s and size = %s", other, self.book, head
        )
        return in_row("ledger.checkpoints, size") if other > 0 else in_row("ledger.checkpoints")

    def a_deleted_head(self) -> Expected:
        """The newest; one that a later head covers leaves nothing unproven."""
        self.run("delete from ledger.checkpoints where book = %s and size = %s", self.book, self.heads[-1])
        return in_row("the head kept")

    def a_forged_head(self) -> Expected:
        head = self.chance.choice(self.heads)
        [(note,)] = self.rows("select note from ledger.checkpoints where book = %s and size = %s", head)
        forged = self.forged(note)
        self.run(
            "update ledger.checkpoints set note = %s where book = %s and size = %s", forged, self.book, head
        )
        return self.head_row(head)

    def an_inserted_head(self) -> Expected:
        """Of a size that was never signed, by a key of the forger's."""
        [(note,)] = self.rows(
            "select note from ledger.checkpoints where book = %s and size = %s", self.heads[-1]
        )
        free = [n for n in range(1, self.size + 3) if n not in self.heads]
        size = self.chance.choice(free)
        self.run(
            "insert into ledger.checkpoints (book, epoch, size, root, note, signed_at) values "
            "(%s, 1, %s, %s, %s, now())",
            self.book, size, self.chance.randbytes(32), self.forged(note),
        )  # fmt: skip
        return in_row(f"ledger.checkpoints, size {size}")

    def a_name_of_the_log(self) -> Expected:
        change = self.chance.choice(
            ["origin = 'another.log/x'", "epoch = 2", "kind = 'real', clock_at = null"]
        )
        self.run(f"update ledger.books set {change} where book = %s", self.book)
        return in_row("ledger.books")

    def an_epoch(self) -> Expected:
        change = self.chance.choice([
            "update ledger.epochs set origin = 'another.log/x' where book = %s",
            "delete from ledger.epochs where book = %s",
            (
                "insert into ledger.epochs (book, epoch, origin, from_position, because)"
                " values (%s, 2, 'another.log/2', 5, 'a restore')"
            ),
        ])  # fmt: skip
        self.run(change, self.book)
        return in_row("ledger.books")

    # What waits

    def a_waiting_event(self) -> Expected:
        stream_id, version, stream = self.chance.choice(self.waiting())
        change = self.chance.choice(
            ["actor = 'desk-99'", "payload = payload || '\\x20'", "at = at - interval '1 day'"]
        )
        self.run(
            f"update ledger.events set {change} where stream_id = %s and version = %s", stream_id, version
        )
        return in_row(f"ledger.events, {stream} version {version}")

    def a_deleted_waiting_event(self) -> Expected:
        stream_id, version, _ = self.chance.choice(self.waiting())
        self.run("delete from ledger.events where stream_id = %s and version = %s", stream_id, version)
        return in_row("ledger.")

    def a_deleted_pending_row(self) -> Expected:
        self.run("delete from ledger.pending where ticket = (select max(ticket) from ledger.pending)")
        return in_row("ledger.events")

    def an_altered_pending_row(self) -> Expected:
        [(ticket, events), *_] = self.rows("select ticket, events from ledger.pending where book = %s")
        self.run(
            "update ledger.pending set events = %s where ticket = %s", self.altered(bytes(events)), ticket
        )
        return in_row("ledger.")

    # What was folded from it

    def a_view_column(self) -> Expected:
        view, row, kinds = self.a_view_row()
        key = VIEWS[view] + 3  # beside book and the two positions
        names = list(kinds)
        name = self.chance.choice([column for column in names if column not in {"book", "from_position"}])
        after = {
            "integer": f"coalesce({name}, 0) + 1",
            "bigint": f"coalesce({name}, 0) + 1",
            "date": f"coalesce({name}, '2000-01-01') + 1",
            "text": f"coalesce({name}, '') || 'x'",
        }[kinds[name]]
        self.run(
            f"update projections.{view} set {name} = {after} where {self.same(view, key)}",
            *row[:2],
            *row[3:key],
        )
        return at(row[1], f"projections.{view}")

    def a_deleted_view_row(self) -> Expected:
        view, row, _ = self.a_view_row()
        key = VIEWS[view] + 3
        self.run(f"delete from projections.{view} where {self.same(view, key)}", *row[:2], *row[3:key])
        return at(row[1], f"projections.{view}")

    def an_inserted_view_row(self) -> Expected:
        view, row, kinds = self.a_view_row()
        key = VIEWS[view] + 3
        names = list(kinds)
        columns = ", ".join(f"{name} || 'x'" if place == 3 else name for place, name in enumerate(names))
        self.run(
            f"insert into projections.{view} ({', '.join(names)}) select {columns} from projections.{view}"
            f" where {self.same(view, key)}", *row[:2], *row[3:key],
        )  # fmt: skip
        return at(row[1], f"projections.{view}")

    def a_memory(self) -> Expected:
        rows = self.rows("select view, key from projections.remembered where book = %s order by 1, 2")
        view, key = self.chance.choice(rows)
        change = self.chance.choice(
            ["memory = memory || ' '", "since_position = since_position + 1", "key = key || 'x'"]
        )
        self.run(f"update projections.remembered set {change} where view = %s and key = %s", view, key)
        return in_row(f"projections.remembered, {view}")

    def a_diary_row(self) -> Expected:
        rows = self.rows("select stream from schedulers.diary where book = %s order by 1")
        (stream,) = self.chance.choice(rows)
        change = self.chance.choice([
            ("update schedulers.diary set due_at = coalesce(due_at, now()) + interval '1 day' "
            "where stream = %s"),
            "update schedulers.diary set kinds = kinds || 'refund'::text where stream = %s",
            "delete from schedulers.diary where stream = %s",
        ])  # fmt: skip
        self.run(change, stream)
        return in_row(f"schedulers.diary, {stream}")

    def a_standing_deadline(self) -> Expected:
        rows = self.rows(
            "select stream, kind, seq from schedulers.deadlines where book = %s order by 1, 2, 3"
        )
        stream, *row = self.chance.choice(rows)
        change = self.chance.choice([
            "update schedulers.deadlines set due_on = due_on + 1",
            "update schedulers.deadlines set status = case status when 'open' then 'missed' else 'open' end",
            "delete from schedulers.deadlines",
        ])  # fmt: skip
        self.run(f"{change} where stream = %s and kind = %s and seq = %s", stream, *row)
        return in_row(f"schedulers.deadlines, {stream}")

    def a_retention(self) -> Expected:
        rows = self.rows("select stream from schedulers.retention where book = %s order by 1")
        (stream,) = self.chance.choice(rows)
        change = self.chance.choice([
            "update schedulers.retention set due_on = coalesce(due_on, '2030-01-01'::date) + 1",
            "update schedulers.retention set erased = not erased",
            "update schedulers.retention set person = person || 'x'",
            "delete from schedulers.retention",
        ])  # fmt: skip
        self.run(f"{change} where stream = %s", stream)
        return in_row(f"schedulers.retention, {stream}")

    # How it is done

    def run(self, statement: str, *parameters: object) -> None:
        self.cursor.execute(statement, parameters)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        self.cursor.execute(query, (self.book, *parameters) if "%s" in query else None)
        return self.cursor.fetchall()

    def altered(self, raw: bytes) -> bytes:
        place = self.chance.randrange(len(raw))
        return raw[:place] + bytes([raw[place] ^ self.chance.randrange(1, 256)]) + raw[place + 1 :]

    def flip(self, table: str, column: str) -> Expected:
        position, stream_id, version, *_ = self.chance.choice(self.log)
        where = "book = %s and stream_id = %s and version = %s"
        [(raw,)] = self.rows(f"select {column} from {table} where {where}", stream_id, version)
        altered = self.altered(bytes(raw)) if self.chance.random() < 0.8 else bytes(raw)[:-1]
        self.run(f"update {table} set {column} = %s where {where}", altered, self.book, stream_id, version)
        return at(position)

    def text_column(self, column: str, values: list[str]) -> Expected:
        position, stream_id, version, *_ = self.chance.choice(self.log)
        self.run(
            f"update ledger.events set {column} = %s where stream_id = %s and version = %s",
            self.chance.choice(values), stream_id, version,
        )  # fmt: skip
        return at(position, "ledger.events")

    def swap(self, table: str, columns: tuple[str, ...]) -> Expected:
        one, other = sorted(self.chance.sample(self.log, 2))
        named = ", ".join(columns)
        bodies = [
            self.rows(
                f"select {named} from {table} where book = %s and stream_id = %s and version = %s", *row[1:3]
            )[0]
            for row in (one, other)
        ]
        for row, body in zip((one, other), reversed(bodies), strict=True):
            settings = ", ".join(f"{column} = %s" for column in columns)
            self.run(f"update {table} set {settings} where stream_id = %s and version = %s", *body, *row[1:3])
        return at(one[0], "ledger.events")

    def backdated(self, leaf: Leaf) -> Leaf:
        return leaf._replace(effective_on="1999-01-01", at="1999-01-01T00:00:00.000000Z")

    def rewrite(self, stream_id: str, version: int, leaf: Leaf) -> None:
        raw = leaf.to_bytes()
        self.run(
            "update ledger.events set effective_on = %s, at = %s, leaf = %s, leaf_hash = %s"
            " where stream_id = %s and version = %s",
            leaf.effective_on, leaf.at, raw, leaf_hash(raw), stream_id, version,
        )  # fmt: skip

    def rewrite_with_its_hash(self) -> int:
        position, stream_id, version, _, raw = self.chance.choice(self.log)
        leaf = self.backdated(read_leaf(bytes(raw)))
        self.rewrite(stream_id, version, leaf)
        self.run(
            "update ledger.log set leaf_hash = %s where book = %s and position = %s",
            leaf_hash(leaf.to_bytes()), self.book, position,
        )  # fmt: skip
        return position

    def near(self, position: int) -> Expected:
        """A leaf's hash shows in the node over it and its neighbour; that of an odd last one in the heads."""
        if position == self.size - 1 and position % 2 == 0:
            return Expected(max([0, *(head for head in self.heads if head <= position)]), position)
        return Expected(position & ~1, position + 1)

    def newest_of_a_stream(self) -> tuple[str, str, Leaf]:
        waiting = {stream for _, _, stream in self.waiting()}
        newest = {
            stream: (stream_id, stream, read_leaf(bytes(raw))) for _, stream_id, _, stream, raw in self.log
        }
        return self.chance.choice(
            [found for stream, found in sorted(newest.items()) if stream not in waiting]
        )

    def waiting(self) -> list[tuple[str, int, str]]:
        found = self.rows(
            "select stream_id::text, version, stream from ledger.events e where book = %s and not exists"
            " (select from ledger.log l where l.stream_id = e.stream_id and l.version = "
            "e.version) order by 1, 2"
        )
        return [(str(UUID(stream_id)), version, stream) for stream_id, version, stream in found]

    def a_stored_node(self) -> tuple[int, int, bytes]:
        found: tuple[int, int, bytes] = self.chance.choice(
            self.rows("select level, index, hash from ledger.log_nodes where book = %s order by 1, 2")
        )
        return found

    def head_row(self, size: int) -> Expected:
        return in_row(f"ledger.checkpoints, size {size}")

    def forged(self, note: str) -> str:
        head = peek_checkpoint(note)
        key = Ed25519PrivateKey.from_private_bytes(self.chance.randbytes(32))
        return sign_checkpoint(head, [Ed25519Signer(head.origin, key)])

    def a_view_row(self) -> tuple[str, tuple[Any, ...], dict[str, str]]:
        while True:
            view = self.chance.choice(sorted(VIEWS))
            kinds = dict(
                self.rows(
                    "select column_name, data_type from information_schema.columns where "
                    "table_schema = 'projections'"
                    f" and table_name = '{view}' order by ordinal_position"
                )
            )
            rows = self.rows(f"select * from projections.{view} where book = %s order by 1, 2, 4, 5, 6")
            if rows:
                return view, self.chance.choice(rows), kinds

    def same(self, view: str, key: int) -> str:
        """Name one row by its key: book, from_position, and the columns that name it."""
        self.cursor.execute(f"select * from projections.{view} limit 0")
        names = [column.name for column in self.cursor.description or ()][:key]
        return " and ".join(f"{name} = %s" for name in names if name != "to_position")


def row_tamperer(dsn: str, book: str) -> Iterator[RowTamperer]:
    with closing(RowTamperer(dsn, book)) as tamperer:
        yield tamperer
