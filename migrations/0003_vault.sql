-- A person must be erasable without touching one event: each person's key stands apart, in a schema with its own backup.

create table vault.subjects (
    book text collate "C" not null,
    person text collate "C" not null,
    key_id uuid not null,
    wrapped bytea,                          -- the data key, wrapped by a master key; null: erased, for ever
    master_id text,                         -- which master key wraps it
    created_at timestamptz not null default now(),
    erased_at timestamptz,
    erased_because text,
    primary key (book, person),
    check ((wrapped is null) = (erased_at is not null)),
    check ((wrapped is null) = (master_id is null))
);

-- Keys of a book itself: of its commands' content hashes, of its directory's search index.
create table vault.book_keys (
    book text collate "C" not null,
    purpose text collate "C" not null,
    wrapped bytea not null,
    master_id text not null,
    created_at timestamptz not null default now(),
    primary key (book, purpose)
);

-- Names for search: ciphertext under the person's key, found by keyed hashes of their words.
create table vault.directory (
    book text collate "C" not null,
    person text collate "C" not null,
    field text collate "C" not null,
    box bytea not null,
    primary key (book, person, field)
);

create table vault.directory_words (
    book text collate "C" not null,
    word_hmac bytea not null,
    person text collate "C" not null,
    field text collate "C" not null,
    primary key (book, word_hmac, person, field)
);

create index directory_words_person on vault.directory_words (book, person);

do $grants$
declare
    app text := ledger.role('app');
begin
    execute format('grant select, insert, update (wrapped, master_id, erased_at, erased_because) '
                   'on vault.subjects to %I', app);
    execute format('grant select, insert, update (wrapped, master_id) on vault.book_keys to %I', app);
    execute format('grant select, insert, update, delete on vault.directory, vault.directory_words to %I', app);
end
$grants$;
