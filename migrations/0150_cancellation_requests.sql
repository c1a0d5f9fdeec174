-- Customers ask on the public form to cancel: a request counts from its receipt, once it is confirmed.

create table projections.cancellation_requests (
    book text collate "C" not null,
    request uuid not null,
    contract text collate "C",              -- null: what was typed is no contract's number, and is not kept
    received_at timestamptz not null,       -- the book's present when the form came in
    received_on date not null,              -- its Brussels day: the notice's day of receipt
    state text collate "C" not null default 'waiting'
        check (state in ('waiting', 'confirmed', 'refused', 'dismissed')),
    codes bytea[] not null default '{}',    -- SHA-256 of each code that was sent in a link
    mail_tries integer not null default 0,
    mail_due_at timestamptz,                -- when a link is sent next; null: it was sent, or there is nobody to send it to
    mailed_at timestamptz,
    mail_told text,                         -- why no link was sent
    settled_at timestamptz,
    settled_by text,                        -- opaque staff id, or how it was confirmed
    settled_because text,                   -- code of the refusal
    primary key (book, request)
) with (fillfactor = 70);

create index cancellation_requests_waiting on projections.cancellation_requests (book, received_at)
    where state = 'waiting';
create index cancellation_requests_contract on projections.cancellation_requests (book, contract, received_at);
