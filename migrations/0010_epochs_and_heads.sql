-- A log that was put back to an older state begins a new epoch: each has its name, and each head says whose it is.

create table ledger.epochs (
    book text collate "C" not null,
    epoch integer not null check (epoch >= 1),
    origin text not null,                   -- first line of the heads of this epoch
    from_position bigint not null,          -- first position that this epoch may hold otherwise than those before it
    begun_at timestamptz not null default clock_timestamp(),
    because text not null,
    lost_size bigint,                       -- the newest head signed before: its size and root, where there was one
    lost_root bytea,
    primary key (book, epoch),
    unique (book, origin),
    check ((lost_size is null) = (lost_root is null)),
    check (epoch > 1 or (from_position = 0 and lost_size is null))
);

insert into ledger.epochs (book, epoch, origin, from_position, begun_at, because)
select book, epoch, origin, 0, created_at, 'created' from ledger.books;

-- Two epochs may each have signed a head of the same size.
alter table ledger.checkpoints add column epoch integer not null default 1;
alter table ledger.checkpoints alter column epoch drop default;
alter table ledger.checkpoints drop constraint checkpoints_pkey;
alter table ledger.checkpoints add primary key (book, epoch, size);

create trigger append_only before update or delete or truncate on ledger.epochs
    for each statement execute function ledger.refuse_change();
alter table ledger.epochs enable always trigger append_only;

do $grants$
begin
    -- A book's first epoch is written with the book; each further one is the sealer's to begin.
    execute format('grant select, insert on ledger.epochs to %I, %I', ledger.role('app'), ledger.role('sealer'));
    execute format('grant select on ledger.epochs, ledger.checkpoints to %I', ledger.role('reporting'));
    execute format('grant select on ledger.epochs to %I', ledger.role('auditor'));
end
$grants$;
