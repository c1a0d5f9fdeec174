-- Who may come in over HTTP: tokens, sessions, sign-in links and calendar addresses, of which only a hash is kept.

-- One credential of one caller. What it grants is its role's; the roles are data of the program.
create table ledger.tokens (
    book text collate "C" not null,
    token_id text collate "C" not null,     -- stands in clear in the token itself, and in lists
    kind text not null check (kind in ('bearer', 'session', 'link', 'calendar')),
    role text collate "C" not null,
    name text collate "C" not null,         -- opaque id that the caller's commands are recorded under
    secret_sha256 bytea not null,           -- of 32 random bytes, which nobody guesses: no salt, no stretching
    created_at timestamptz not null default clock_timestamp(),
    created_by text collate "C" not null,
    expires_at timestamptz,                 -- null: until it is revoked
    revoked_at timestamptz,                 -- of a link: when it was used, which it can be once
    primary key (book, token_id)
);

create index tokens_expired on ledger.tokens (book, expires_at) where kind in ('session', 'link');

do $grants$
begin
    -- Sessions and links that are long over are swept away; bearer and calendar tokens stay on record.
    execute format('grant select, insert, delete, update (revoked_at) on ledger.tokens to %I', ledger.role('app'));
end
$grants$;
