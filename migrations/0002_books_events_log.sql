-- Facts are recorded once, sealed once, and changed by nobody: the tables of the write side, append-only by trigger.
--
-- `book` leads every key, so that books can be spread over machines. Keys compare as bytes (collate "C").

create table ledger.books (
    book text collate "C" primary key,
    kind text not null check (kind in ('real', 'simulated')),
    epoch integer not null default 1,
    origin text not null,                   -- first line of the log's checkpoints
    clock_at timestamptz,                   -- simulated: the present, which stands still until it is moved
    held_at timestamptz,                    -- real: where a finished import left the book; the sweep waits
    import_id uuid,                         -- the open import, if any (ledger.imports)
    created_at timestamptz not null default now(),
    check ((kind = 'simulated') = (clock_at is not null))
);

create table ledger.imports (
    book text collate "C" not null,
    import_id uuid not null,
    digest bytea not null,                  -- SHA-256 of what is imported
    clock_at timestamptz,                   -- `at` of the last line recorded
    opened_at timestamptz not null default now(),
    closed_at timestamptz,
    outcome text check (outcome in ('finished', 'abandoned')),
    primary key (book, import_id)
);

-- One event. No index but the key: whatever else is asked is asked of views.
create table ledger.events (
    book text collate "C" not null,
    stream_id uuid not null,
    version integer not null,
    stream text collate "C" not null,       -- contract/CC-1
    event_id uuid not null,
    type text collate "C" not null,
    schema_version integer not null,
    effective_on date not null,
    at timestamptz not null,
    recorded_at timestamptz not null,
    command_id text collate "C" not null,
    ordinal integer not null,               -- place among the events of its command
    actor text collate "C" not null,
    correlation_id uuid not null,           -- stream id of the contract that the event belongs to
    causation_id uuid,
    payload bytea not null,                 -- the exact bytes, personal data as ciphertext
    leaf bytea not null,                    -- the exact bytes that the Merkle log commits to
    leaf_hash bytea not null,               -- RFC 6962: SHA-256 of 0x00 and the leaf
    primary key (book, stream_id, version)
);

-- One commit that is not sealed yet. The ticket hints at the order; which commits may be sealed is decided by
-- predecessors alone. Bloat here slows the sealer, so the vacuum comes early.
create table ledger.pending (
    book text collate "C" not null,
    ticket bigint not null generated always as identity,
    command_id text collate "C" not null,
    events bytea not null,                  -- 52 bytes an event: stream id 16, version 4 big-endian, leaf hash 32
    primary key (book, ticket)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_threshold = 1000000);

-- Which event stands at which position of the feed: dense from 0.
create table ledger.log (
    book text collate "C" not null,
    position bigint not null,
    stream_id uuid not null,
    version integer not null,
    leaf_hash bytea not null,
    sealed_at timestamptz not null,         -- never decreasing
    primary key (book, position),
    unique (book, stream_id, version)
);

-- Complete nodes of the Merkle log: level 0 are the leaf hashes of ledger.log and are not kept twice.
create table ledger.log_nodes (
    book text collate "C" not null,
    level smallint not null,
    index bigint not null,
    hash bytea not null,
    primary key (book, level, index)
);

create table ledger.checkpoints (
    book text collate "C" not null,
    size bigint not null,
    root bytea not null,
    note text not null,                     -- C2SP tlog-checkpoint, signed
    signed_at timestamptz not null,
    primary key (book, size)
);

-- What each command was answered the first time, refusals included, for ever.
create table ledger.commands (
    book text collate "C" not null,
    sender text collate "C" not null,
    command_id text collate "C" not null,
    content_hmac bytea not null,
    answer text not null,                   -- JSON, given back as it was
    recorded_at timestamptz not null,
    primary key (book, sender, command_id)
);

-- Checkpoints of followers, moved in the transaction of their effect, and the events that they could not take.
create table ledger.followers (
    book text collate "C" not null,
    name text collate "C" not null,
    position bigint not null,               -- of the last event that took effect; -1 before the first
    moved_at timestamptz not null default now(),
    primary key (book, name)
) with (fillfactor = 50);

create table ledger.parked (
    book text collate "C" not null,
    follower text collate "C" not null,
    position bigint not null,
    stream text collate "C" not null,
    version integer not null,
    event_id uuid not null,
    type text collate "C" not null,
    error text not null,
    attempts integer not null default 1,
    parked_at timestamptz not null default now(),
    primary key (book, follower, position)
);

-- Positions that `eventsourcing` keeps for its own process applications and projections.
create table ledger.tracking (
    book text collate "C" not null,
    application_name text collate "C" not null,
    notification_id bigint not null,
    primary key (book, application_name)
) with (fillfactor = 50);

-- The history as SQL reads it: sealed events with their payload as JSON, personal data as ciphertext.
create view ledger.history as
select l.book, l.position, l.sealed_at, e.stream, e.version, e.type, e.schema_version, e.event_id, e.effective_on,
       e.at, e.recorded_at, e.actor, e.command_id, e.ordinal, e.correlation_id, e.causation_id,
       convert_from(e.payload, 'UTF8')::json as payload
from ledger.log l
join ledger.events e using (book, stream_id, version);

-- A condition that the transaction it stands in depends on: unless it holds, the whole of it is undone.
create function ledger.demand(held boolean, code text, reason text) returns void language plpgsql as $demand$
begin
    if held is not true then
        raise exception using errcode = code, message = reason;
    end if;
end
$demand$;

create function ledger.refuse_change() returns trigger language plpgsql as $refuse$
begin
    raise exception '% on %.% is refused: the ledger is append-only, correct it by a further event',
        tg_op, tg_table_schema, tg_table_name
        using errcode = 'prohibited_sql_statement_attempted';
end
$refuse$;

do $guards$
declare
    guarded text;
begin
    foreach guarded in array array['events', 'log', 'log_nodes', 'checkpoints', 'commands'] loop
        execute format('create trigger append_only before update or delete or truncate on ledger.%I '
                       'for each statement execute function ledger.refuse_change()', guarded);
        execute format('alter table ledger.%I enable always trigger append_only', guarded);
    end loop;
end
$guards$;

do $grants$
declare
    app text := ledger.role('app');
    sealer text := ledger.role('sealer');
    reporting text := ledger.role('reporting');
    auditor text := ledger.role('auditor');
begin
    execute format('grant select, insert on ledger.events, ledger.pending, ledger.commands to %I', app);
    execute format('grant select on ledger.log, ledger.log_nodes, ledger.checkpoints, ledger.history to %I', app);
    execute format('grant select, insert, update (clock_at, held_at, import_id) on ledger.books to %I', app);
    execute format('grant select, insert, update (clock_at, closed_at, outcome) on ledger.imports to %I', app);
    execute format('grant select, insert, update, delete '
                   'on ledger.followers, ledger.parked, ledger.tracking to %I', app);

    -- Locking the book's row needs a right to update it; a new epoch is the sealer's to begin.
    execute format('grant select, update (epoch, origin) on ledger.books to %I', sealer);
    execute format('grant select, delete on ledger.pending to %I', sealer);
    execute format('grant select, insert on ledger.log, ledger.log_nodes, ledger.checkpoints to %I', sealer);

    execute format('grant select on ledger.books, ledger.history to %I', reporting);
    execute format('grant select on all tables in schema ledger to %I', auditor);
end
$grants$;
