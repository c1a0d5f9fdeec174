-- A view is rebuilt beside the one that is read: each row says of which generation it is, and one generation is live.

create table projections.generations (
    book text collate "C" not null,
    view text collate "C" not null,
    generation integer not null check (generation >= 1),
    fold_version integer not null,          -- of the fold that gave its rows
    state text not null check (state in ('building', 'live', 'kept')),
    begun_at timestamptz not null default clock_timestamp(),
    live_at timestamptz,                    -- when it became the one that is read
    kept_at timestamptz,                    -- when another one did
    primary key (book, view, generation)
);

create unique index generations_live on projections.generations (book, view) where state = 'live';
create unique index generations_building on projections.generations (book, view) where state = 'building';

-- What was folded before there were generations is the first.
insert into projections.generations (book, view, generation, fold_version, state, live_at)
select book, name, 1, 1, 'live', clock_timestamp() from ledger.followers
where name in ('limits', 'due', 'contracts', 'claims', 'complaints');

do $generations$
declare
    named record;
begin
    for named in
        select * from (values
            ('remembered', 'view, key'),
            ('limits', 'contract, insurance_year, guarantee, from_position'),
            ('due', 'subject, opening, from_position'),
            ('contracts', 'contract, from_position'),
            ('claims', 'claim, from_position'),
            ('complaints', 'complaint, from_position')
        ) as known (name, key)
    loop
        execute format('alter table projections.%I add column generation integer not null default 1', named.name);
        execute format('alter table projections.%I alter column generation drop default', named.name);
        execute format('alter table projections.%I drop constraint %I', named.name, named.name || '_pkey');
        execute format('alter table projections.%I add primary key (book, generation, %s)', named.name, named.key);
    end loop;
end
$generations$;

drop index projections.due_contract, projections.claims_contract, projections.complaints_contract;
create index due_contract on projections.due (book, generation, contract);
create index claims_contract on projections.claims (book, generation, contract);
create index complaints_contract on projections.complaints (book, generation, contract);
