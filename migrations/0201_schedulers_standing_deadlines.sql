-- Warnings, letters and the run-off ask what is due when: the diary keeps each deadline that is open, or missed and not met.

create table schedulers.deadlines (
    book text collate "C" not null,
    stream text collate "C" not null,
    kind text collate "C" not null,
    seq integer not null,                   -- which of the stream's rows of the kind, from 1
    rule text not null,
    raw_due_on date not null,
    due_on date not null,
    alert_on date not null,
    status text not null check (status in ('open', 'missed')),
    primary key (book, stream, kind, seq)
);

create index deadlines_due on schedulers.deadlines (book, kind, due_on);
create index deadlines_alert on schedulers.deadlines (book, alert_on);

-- The diary is kept anew from the feed's start, so that what was diarised before has its deadlines too.
delete from schedulers.diary;
update ledger.followers set position = -1 where name = 'diary';
delete from ledger.parked where follower = 'diary';
