-- A month's bordereau looks at one row of each claim and month: at those that stand now, not at all that ever stood.

drop index projections.bordereau_opened;
create index bordereau_standing on projections.bordereau (book, generation, opened_position, month desc)
    where to_position is null;
