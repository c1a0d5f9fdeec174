-- The first rows of a report, and the limits nearly used, are read in their order by an index, not sorted out of all.

create index refunds_opened on projections.refunds (book, generation, opened_position, number);
create index payments_opened on projections.payments (book, generation, opened_position, number);
create index reserves_opened on projections.reserves (book, generation, opened_position);
create index timeline_recorded on projections.timeline (book, generation, from_position);
create index bordereau_opened on projections.bordereau (book, generation, opened_position, month desc);

-- Few limits are nearly used; the condition is that of the page which asks for them.
create index limits_nearly_used on projections.limits (book, generation, contract_position desc, guarantee_order)
    where count_consumed + count_reserved >= count_limit
        or (amount_consumed_cents + amount_reserved_cents) * 100 >= amount_limit_cents * 80;
drop index projections.limits_drawn_on;
