-- A program that still holds a master key destroyed elsewhere must not wrap with it: what it wrapped would be lost.

create table vault.destroyed_masters (
    master_id text primary key,
    destroyed_at timestamptz not null default clock_timestamp()
);

create function vault.refuse_destroyed_master() returns trigger language plpgsql as $refuse$
begin
    if exists (select from vault.destroyed_masters d where d.master_id = new.master_id) then
        raise exception 'the master key % was destroyed: read the key file again', new.master_id
            using errcode = 'CLS02';
    end if;
    return new;
end
$refuse$;

create trigger living_master before insert or update of master_id on vault.subjects
    for each row when (new.master_id is not null) execute function vault.refuse_destroyed_master();
create trigger living_master before insert or update of master_id on vault.book_keys
    for each row execute function vault.refuse_destroyed_master();

do $grants$
begin
    -- Keys are rotated by the operator, as the owner: programs only heed what was destroyed.
    execute format('grant select on vault.destroyed_masters to %I', ledger.role('app'));
end
$grants$;
