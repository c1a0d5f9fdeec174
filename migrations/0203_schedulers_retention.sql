-- Erasures are proposed once nothing asks for a person's records any more: until when each contract's records are kept.

create table schedulers.retention (
    book text collate "C" not null,
    stream text collate "C" not null,       -- a contract, or a claim
    contract text collate "C" not null,     -- the contract's number
    person text collate "C" not null,       -- policyholder or victim
    erased boolean not null,
    due_on date,                            -- of a contract that has ended; null: it runs, or a claim
    memory text not null,                   -- what folding the stream's next event needs
    primary key (book, stream)
);

create index retention_due on schedulers.retention (book, due_on) where due_on is not null;
create index retention_person on schedulers.retention (book, person);
