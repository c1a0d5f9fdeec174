-- Before the data of a backup is loaded: the present rows make room. Readers wait until all is done.

set local lock_timeout = '60s';

-- What was looked at, and what a court holds, is not forgotten because the data went back.
create temporary table kept_access_log on commit drop as table ledger.access_log;
create temporary table kept_holds on commit drop as table ledger.holds;

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
