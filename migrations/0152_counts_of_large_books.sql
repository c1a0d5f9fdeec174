-- Counting by status or kind reads an index alone; due dates are found by kind, status and day with one index.

drop index projections.contracts_status, projections.claims_status, projections.due_status;

create index contracts_status on projections.contracts (book, generation, status, opened_position)
    include (from_position, to_position);
create index claims_status on projections.claims (book, generation, status, opened_position)
    include (from_position, to_position);
create index due_kind on projections.due (book, generation, kind, status, due_on)
    include (from_position, to_position);
