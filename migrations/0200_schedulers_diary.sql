-- The time side needs its diary: at which instant time will next owe a stream something, so that the sweep finds it.

create table schedulers.diary (
    book text collate "C" not null,
    stream text collate "C" not null,
    due_at timestamptz,                     -- null: time owes it nothing any more
    kinds text[] not null,                  -- which deadlines take effect then
    memory text not null,                   -- what folding the stream's next event needs
    primary key (book, stream)
) with (fillfactor = 70);

create index diary_due on schedulers.diary (book, due_at, stream) where due_at is not null;
