-- One item that cannot be handled never stops the others: what failed, how often, and when it is tried next.

create table ledger.attempts (
    book text collate "C" not null,
    worker text collate "C" not null,       -- letters, cancellation, heads, digest, ...
    item text collate "C" not null,         -- what it is called there: a letter's reference, a place; never a person
    tries integer not null,
    error text not null,                    -- what went wrong last, without anything personal
    first_at timestamptz not null,          -- when the first try failed
    last_at timestamptz not null,
    next_at timestamptz,                    -- when it is tried next; null: parked, until somebody replays it
    primary key (book, worker, item)
);

do $grants$
begin
    execute format('grant select, insert, update, delete on ledger.attempts to %I', ledger.role('app'));
    execute format('grant select on ledger.attempts to %I', ledger.role('auditor'));
end
$grants$;
