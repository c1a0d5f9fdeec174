-- Signature lines that a head got after it was signed: by a further key of the log, or by a witness (C2SP
-- tlog-cosignature). They are served with the head; the head itself stays as it was signed.

create table ledger.head_signatures (
    book text collate "C" not null,
    epoch integer not null,
    size bigint not null,
    name text collate "C" not null,
    key_id bytea not null check (octet_length(key_id) = 4),
    signature bytea not null,               -- of a witness: eight bytes of time before it
    added_at timestamptz not null default clock_timestamp(),
    primary key (book, epoch, size, name, key_id)
);

create trigger append_only before update or delete or truncate on ledger.head_signatures
    for each statement execute function ledger.refuse_change();
alter table ledger.head_signatures enable always trigger append_only;

-- Leaf hashes that an epoch had beyond its parting from the next: with them a head kept of that epoch is shown to
-- extend what the two have in common. Nobody need trust them: with a wrong one no root comes out right.
create table ledger.parted_leaves (
    book text collate "C" not null,
    epoch integer not null,
    position bigint not null,
    leaf_hash bytea not null check (octet_length(leaf_hash) = 32),
    primary key (book, epoch, position)
);

create trigger append_only before update or delete or truncate on ledger.parted_leaves
    for each statement execute function ledger.refuse_change();
alter table ledger.parted_leaves enable always trigger append_only;

do $grants$
begin
    -- The log's own further key is the sealer's; witnesses are asked by programs of daily work.
    execute format('grant select, insert on ledger.head_signatures to %I, %I', ledger.role('app'), ledger.role('sealer'));
    execute format('grant select, insert on ledger.parted_leaves to %I', ledger.role('sealer'));
    execute format('grant select on ledger.parted_leaves to %I', ledger.role('app'));
    execute format('grant select on ledger.head_signatures, ledger.parted_leaves to %I, %I', ledger.role('reporting'), ledger.role('auditor'));
end
$grants$;
