-- Who opened a person's data is kept for good, and what a court needs is not erased: the access log and legal holds.

-- One opening of one person's data on one stream; never what was read. Also each hold, lifting and erasure.
create table ledger.access_log (
    book text collate "C" not null,
    entry bigint not null generated always as identity,
    at timestamptz not null default clock_timestamp(),
    who text collate "C" not null,          -- opaque staff id, never a name
    what text collate "C" not null,         -- subject export, contract show, ...
    why text not null,
    person text collate "C",                -- null: a contract's hold
    stream text collate "C",                -- contract/CC-1; null: the person as a whole
    primary key (book, entry)
);

create index access_log_person on ledger.access_log (book, person);

create trigger append_only before update or delete or truncate on ledger.access_log
    for each statement execute function ledger.refuse_change();
alter table ledger.access_log enable always trigger append_only;

-- The n-th legal hold of a contract: while one stands, nobody whose data the contract's streams hold is erased.
create table ledger.holds (
    book text collate "C" not null,
    contract text collate "C" not null,
    number integer not null check (number >= 1),
    placed_at timestamptz not null default clock_timestamp(),
    placed_by text collate "C" not null,
    because text not null,
    lifted_at timestamptz,
    lifted_by text collate "C",
    lifted_because text,
    primary key (book, contract, number),
    check ((lifted_at is null) = (lifted_by is null)),
    check ((lifted_at is null) = (lifted_because is null))
);

create unique index holds_standing on ledger.holds (book, contract) where lifted_at is null;

create trigger kept before delete or truncate on ledger.holds
    for each statement execute function ledger.refuse_change();
alter table ledger.holds enable always trigger kept;

do $grants$
begin
    execute format('grant select, insert on ledger.access_log, ledger.holds to %I', ledger.role('app'));
    execute format('grant update (lifted_at, lifted_by, lifted_because) on ledger.holds to %I', ledger.role('app'));
    execute format('grant select on ledger.access_log, ledger.holds to %I', ledger.role('auditor'));
end
$grants$;
