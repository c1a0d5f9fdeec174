-- A letter is written once, handed over once and posted once: how far each one has come, kept across every crash.

create table schedulers.letters (
    book text collate "C" not null,
    reference text collate "C" not null,    -- the letter's own for ever; a carrier that sees it twice posts it once
    kind text collate "C" not null,
    about text collate "C" not null,        -- the stream that it is about: contract/CC-1, claim/K-1
    contract text collate "C" not null,     -- the contract's number
    person text collate "C" not null,       -- whom it goes to
    facts text not null,                    -- JSON: dates and amounts; nothing personal
    post_by date,                           -- the last day on which posting it is of use; null: none
    status text not null check (status in
        ('wanted', 'written', 'prepared', 'staged', 'handed_over', 'posted', 'returned', 'dropped', 'erased')),
    told text,                              -- why it waits, or was dropped
    sha256 text,                            -- of the PDF, once it is written; the file's name
    language text,
    batch text collate "C",                 -- with which it is handed over, from staged on
    carrier text,
    posted_on date,
    tracking text,
    returned_on date,
    wanted_at timestamptz not null default clock_timestamp(),
    changed_at timestamptz not null default clock_timestamp(),
    primary key (book, reference),
    check (status in ('wanted', 'dropped', 'erased') or sha256 is not null),
    check (status <> 'staged' or batch is not null)
);

create index letters_status on schedulers.letters (book, status);
create index letters_contract on schedulers.letters (book, contract);
create index letters_person on schedulers.letters (book, person);
