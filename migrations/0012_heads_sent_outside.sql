-- A signed head proves the log only where somebody else keeps it: which places were given each day's head.

create table schedulers.heads_sent (
    book text collate "C" not null,
    place text collate "C" not null,        -- a folder, a witness or a mail address; never a password
    day date not null,                      -- Brussels
    epoch integer not null,
    size bigint not null,
    sent_at timestamptz,                    -- null: not sent yet
    tried_at timestamptz not null default clock_timestamp(),
    told text not null,                     -- what the place answered, a witness its cosignature; or what went wrong
    primary key (book, place, day)
);
