-- Before the data of a backup is loaded: the present rows make room. Readers wait until all is done.

set local lock_timeout = '60s';

-- What was looked at, and what a court holds, is not forgotten because the data went back.
create temporary table kept_access_log on commit drop as table ledger.access_log;
create temporary table kept_holds on commit drop as table ledger.holds;

-- What was signed and is given up: with its leaf hashes a head kept outside is still shown to extend the rest.
create temporary table parted_log on commit drop as
select l.book, b.epoch, l.position, l.leaf_hash
from ledger.log l join ledger.books b on b.book = l.book
where l.position < (
    select max(c.size) from ledger.checkpoints c where c.book = b.book and c.epoch = b.epoch
);
create temporary table kept_parted_leaves on commit drop as table ledger.parted_leaves;

create temporary table guards on commit drop as
select t.tgrelid::regclass as guarded, t.tgname as guard
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
where c.relnamespace in ('ledger'::regnamespace, 'projections'::regnamespace, 'schedulers'::regnamespace)
    and not t.tgisinternal;

do $room$
declare
    guarded record;
    every text;
begin
    for guarded in select * from pg_temp.guards loop
        execute format('alter table %s disable trigger %I', guarded.guarded, guarded.guard);
    end loop;
    select string_agg(c.oid::regclass::text, ', ') into every
    from pg_class c
    where c.relkind in ('r', 'p') and c.oid <> 'ledger.migrations'::regclass
        and c.relnamespace in ('ledger'::regnamespace, 'projections'::regnamespace, 'schedulers'::regnamespace);
    execute 'truncate ' || every;
end
$room$;
