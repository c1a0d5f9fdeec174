"""The schema is held against what the migrations make: nobody changes a guard, a view or a right unseen."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from draw_catalogue import FILE, written

from fixtures.database import Database, Template, execute, migrated_database
from fixtures.program import CommandLine
from ledger.store.catalogue import Departure, catalogue, departures, expected
from ledger.store.pool import Connection, Pool

KINDS = ("app", "auditor")

# What somebody with an owner's or a superuser's rights does, and what is to be told of it.
DONE = {
    "guard emptied": (
        (
            "create or replace function ledger.refuse_change() returns trigger language plpgsql as "
            "'begin return null; end'"
        ),
        "function ledger.refuse_change() is not what the migrations make",
    ),
    "trigger off": (
        "alter table ledger.events disable trigger append_only",
        "trigger ledger.events.append_only is not what the migrations make",
    ),
    "trigger no longer always on": (
        "alter table ledger.commands enable trigger append_only",
        "trigger ledger.commands.append_only is not what the migrations make",
    ),
    "trigger gone": (
        "drop trigger append_only on ledger.access_log",
        "trigger ledger.access_log.append_only is missing",
    ),
    "trigger of fewer events": (
        (
            "drop trigger kept on ledger.holds; create trigger kept before truncate on ledger.holds "
            "for each statement execute function ledger.refuse_change()"
        ),
        "trigger ledger.holds.kept is not what the migrations make",
    ),
    "trigger of another's": (
        (
            "create function public.mend() returns trigger language plpgsql as 'begin return null; end'; "
            "create trigger mended before insert on ledger.events for each row execute function public.mend()"
        ),
        "trigger ledger.events.mended is made by no migration",
    ),
    "history redefined": (
        (
            "create or replace view ledger.history as select l.book, l.position, l.sealed_at, e.stream, "
            "e.version, "
            "e.type, e.schema_version, e.event_id, e.effective_on, e.at, e.recorded_at, e.actor, "
            "e.command_id, "
            "e.ordinal, e.correlation_id, e.causation_id, convert_from(e.payload, 'UTF8')::json as payload "
            "from ledger.log l join ledger.events e using (book, stream_id, version) where e.actor <> 'x'"
        ),
        "view ledger.history is not what the migrations make",
    ),
    "history with columns of the same name from elsewhere": (
        (
            "create or replace view ledger.history as select e.book, l.position, l.sealed_at, e.stream, "
            "l.version, "
            "e.type, e.schema_version, e.event_id, e.effective_on, e.at, e.recorded_at, e.actor, "
            "e.command_id, "
            "e.ordinal, e.correlation_id, e.causation_id, convert_from(e.payload, 'UTF8')::json as payload "
            "from ledger.log l join ledger.events e on (l.book, l.stream_id) = (e.book, e.stream_id)"
        ),
        "view ledger.history is not what the migrations make",
    ),
    "reporting view redefined": (
        "drop view reporting.claims; create view reporting.claims as select * from reporting.claims_history",
        "view reporting.claims is not what the migrations make",
    ),
    "role redefined": (
        (
            "create or replace function ledger.role(kind text) returns text language sql immutable return "
            "'x' || kind"
        ),
        "function ledger.role(kind text) is not what the migrations make",
    ),
    "demand emptied": (
        (
            "create or replace function ledger.demand(held boolean, code text, reason text) returns void "
            "language plpgsql as 'begin end'"
        ),
        "function ledger.demand(held boolean, code text, reason text) is not what the migrations make",
    ),
    "master keys' guard runs as its owner": (
        "alter function vault.refuse_destroyed_master() security definer",
        "function vault.refuse_destroyed_master() is not what the migrations make",
    ),
    "right to change": (
        "grant update on ledger.events to {app}",
        "grant on ledger.events to {{app}} is not what the migrations make",
    ),
    "right to change a column": (
        "grant update (payload) on ledger.events to {app}",
        "grant on column ledger.events.payload to {{app}} is made by no migration",
    ),
    "right taken away": (
        "revoke select on ledger.log from {auditor}",
        "grant on ledger.log to {{auditor}} is missing",
    ),
    "everybody's right": (
        "grant delete on ledger.tokens to public",
        "grant on ledger.tokens to public is made by no migration",
    ),
    "rule in place of an insert": (
        "create rule nothing as on insert to ledger.access_log do instead nothing",
        "rule ledger.access_log.nothing is made by no migration",
    ),
    "policy that hides rows": (
        (
            "alter table ledger.events enable row level security; create policy hidden on ledger.events "
            "using (false)"
        ),
        "policy ledger.events.hidden is made by no migration",
    ),
    "constraint gone": (
        "alter table ledger.log drop constraint log_book_stream_id_version_key",
        "constraint ledger.log.log_book_stream_id_version_key is missing",
    ),
    "check loosened": (
        (
            "alter table ledger.books drop constraint books_kind_check, add constraint books_kind_check "
            "check (kind in ('real', 'simulated', 'other'))"
        ),
        "constraint ledger.books.books_kind_check is not what the migrations make",
    ),
    "default that lies": (
        "alter table ledger.access_log alter at set default '2020-01-01'",
        "column ledger.access_log.at is not what the migrations make",
    ),
    "table of another's owner": (
        "create role {name}_mallory; alter table schedulers.letters owner to {name}_mallory",
        "relation schedulers.letters is not what the migrations make",
    ),
    "triggers off for a login": (
        "alter role {login} set session_replication_role = replica",
        "setting session_replication_role=replica of ",
    ),
    "triggers off for the database": (
        "alter database {name} set session_replication_role = replica",
        "setting session_replication_role=replica of ",
    ),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """What somebody does to the schema, in a transaction that is rolled back."""

    connection: Connection
    names: dict[str, str]

    def do(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement.format(**self.names))

    def found(self) -> list[Departure]:
        return departures(self.connection)


@pytest.fixture(scope="module")
def shared(template: Template) -> Iterator[Database]:
    with migrated_database(template) as database:
        yield database


@pytest.fixture
def tried(shared: Database) -> Iterator[Tried]:
    with Pool(shared.superuser_dsn, size=1) as pool, pool.connection() as connection:
        connection.autocommit = False
        yield Tried(connection, names_in(shared))
        connection.rollback()


def names_in(database: Database) -> dict[str, str]:
    """Names that statements need: of the roles, the application's login, the database."""
    roles = {
        kind: f"{database.app_dsn.partition('user=')[2].split('_app_login')[0]}_{kind}" for kind in KINDS
    }
    return roles | {"login": f"{roles['app']}_login", "name": database.name}


def as_told(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


def test_what_the_migrations_make_is_what_is_written_down(tried: Tried) -> None:
    made = catalogue(tried.connection)
    assert written(made) == FILE.read_text(encoding="utf-8"), "make catalogue draws it anew"
    assert made == expected()
    assert tried.found() == []


@pytest.mark.parametrize("act", DONE)
def test_fault_18_what_was_changed_is_told_by_its_name(act: str, tried: Tried) -> None:
    statement, told = DONE[act]
    tried.do(statement)
    departed = [str(one) for one in tried.found()]
    assert any(one.startswith(as_told(told)) for one in departed), departed


def test_fault_18_whoever_else_may_read_is_told_apart(tried: Tried) -> None:
    tried.do("create role {name}_bi; grant select on reporting.claims to {name}_bi")
    tried.do("grant usage on schema reporting to {name}_bi")
    assert [one.only_reads for one in tried.found()] == [True, True]
    tried.do("grant select on vault.subjects to {name}_bi")
    reads = {one.what: one.only_reads for one in tried.found()}
    assert reads[f"grant on vault.subjects to {tried.names['name']}_bi"] is False


@pytest.mark.parametrize("act", ["guard emptied", "right to change"])
def test_fault_18_verify_fails_and_doctor_says_so(
    act: str, command_line: CommandLine, database: Database
) -> None:
    assert command_line("init").exit_code == 0
    sound = command_line("verify", "--json")
    assert (sound.exit_code, sound.json["verified"]) == (0, True)
    assert ("schema", "well") in states(command_line)
    statement, told = DONE[act]
    execute(database.superuser_dsn, statement.format(**names_in(database)))
    failed = command_line("verify", "--json")
    assert (failed.exit_code, failed.json["verified"]) == (1, False)
    assert as_told(told) in failed.json["message"]
    assert ("schema", "wrong") in states(command_line)
    assert as_told(told) in command_line("doctor").out.replace("\n", " ")


def states(command_line: CommandLine) -> set[tuple[str, str]]:
    return {
        (one["check"], one["state"]) for one in json.loads(command_line("doctor", "--json").out)["checks"]
    }
