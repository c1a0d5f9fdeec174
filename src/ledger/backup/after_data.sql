-- After the data of a backup was loaded: what must not be forgotten comes back, and the guards stand again.

insert into ledger.access_log overriding system value
select * from pg_temp.kept_access_log on conflict (book, entry) do nothing;
select pg_catalog.setval(pg_catalog.pg_get_serial_sequence('ledger.access_log', 'entry'), max(entry))
from ledger.access_log having max(entry) is not null;

delete from ledger.holds h using pg_temp.kept_holds k
where (h.book, h.contract, h.number) = (k.book, k.contract, k.number);
insert into ledger.holds select * from pg_temp.kept_holds;

insert into ledger.parted_leaves
select * from pg_temp.kept_parted_leaves on conflict (book, epoch, position) do nothing;
insert into ledger.parted_leaves
select p.book, p.epoch, p.position, p.leaf_hash
from pg_temp.parted_log p
where p.position >= (
    select min(o.position)
    from pg_temp.parted_log o left join ledger.log l on l.book = o.book and l.position = o.position
    where o.book = p.book and l.leaf_hash is distinct from o.leaf_hash
)
on conflict (book, epoch, position) do nothing;

do $guards$
declare
    guarded record;
    filled record;
begin
    for guarded in select * from pg_temp.guards loop
        execute format('alter table %s enable always trigger %I', guarded.guarded, guarded.guard);
    end loop;
    for filled in
        select c.oid::regclass as filled from pg_class c
        where c.relkind in ('r', 'p')
            and c.relnamespace in ('ledger'::regnamespace, 'projections'::regnamespace, 'schedulers'::regnamespace)
    loop
        execute format('analyze %s', filled.filled);
    end loop;
end
$guards$;
