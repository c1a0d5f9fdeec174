-- A page of a list takes as long in a book of 100,000 contracts as in a small one: indexes by place, status and day.

create index contracts_opened on projections.contracts (book, generation, opened_position);
create index contracts_status on projections.contracts (book, generation, status, opened_position);
create index claims_opened on projections.claims (book, generation, opened_position);
create index claims_status on projections.claims (book, generation, status, opened_position);
create index complaints_opened on projections.complaints (book, generation, opened_position);
create index due_status on projections.due (book, generation, status, due_on);

-- Most limits are never drawn on: only those that are can be nearly used.
create index limits_drawn_on on projections.limits (book, generation, contract)
    where count_consumed > 0 or count_reserved > 0;
