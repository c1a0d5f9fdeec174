-- Most rows of due dates tell what was: an index holds those that stand now, the earliest of each kind and status first.

create index due_standing on projections.due (book, generation, kind, status, due_on, subject_position, opening)
    where to_position is null;
drop index projections.due_kind;
