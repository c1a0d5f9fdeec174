-- The back office gets one digest a day in each place, and what it was told as missed it is not told as new again.

create table schedulers.digests (
    book text collate "C" not null,
    place text collate "C" not null,        -- a folder or a mail address; never a password
    day date not null,                      -- Brussels
    sent_at timestamptz not null default clock_timestamp(),
    primary key (book, place, day)
);
