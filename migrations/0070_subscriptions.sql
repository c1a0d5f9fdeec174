-- Others are told of events by subscription: how far each is, and what it could not be given yet.

create table ledger.subscriptions (
    book text collate "C" not null,
    name text collate "C" not null,
    kind text collate "C" not null check (kind in ('webhook', 'nats', 'pull')),
    target text,                            -- a webhook's address, a NATS stream; null: whoever asks
    types text[],                           -- event types wanted; null: all
    state text collate "C" not null default 'active' check (state in ('active', 'paused', 'disabled')),
    because text,                           -- why it is not active
    position bigint not null,               -- every event up to it was taken, or stands in ledger.deliveries
    created_at timestamptz not null default clock_timestamp(),
    taken_at timestamptz,                   -- when an event was last taken
    told text,                              -- what the last failure was; null after a success
    lease uuid,                             -- the program that delivers at the moment
    leased_until timestamptz,
    primary key (book, name)
) with (fillfactor = 50);

-- Signing secrets of webhooks, sealed under the book's own key; an older one signs too until it expires.
create table ledger.subscription_secrets (
    book text collate "C" not null,
    subscription text collate "C" not null,
    number integer not null,
    box text not null,
    created_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz,
    primary key (book, subscription, number)
);

-- Events at or before a webhook's position that were not taken: they wait for another try, or are parked. Those of
-- one contract are in one state and go out in the order of their positions, so that the first one holds the rest.
create table ledger.deliveries (
    book text collate "C" not null,
    subscription text collate "C" not null,
    position bigint not null,
    contract uuid not null,                 -- correlation id of the event
    state text collate "C" not null check (state in ('waiting', 'parked')),
    tries integer not null,                 -- 0: stands behind another event of its contract
    failed_at timestamptz,                  -- when the first try failed
    due_at timestamptz not null,            -- when it is tried next, once it is the first of its contract
    is_outage boolean not null,             -- it failed because the receiver was away, not because of the event
    told text,                              -- what the last failure was
    primary key (book, subscription, position)
);

create index deliveries_contract on ledger.deliveries (book, subscription, contract, position);

do $grants$
begin
    execute format('grant select, insert, update, delete on ledger.subscriptions, ledger.subscription_secrets, '
                   'ledger.deliveries to %I', ledger.role('app'));
    execute format('grant select on ledger.subscriptions, ledger.deliveries to %I', ledger.role('auditor'));
end
$grants$;
