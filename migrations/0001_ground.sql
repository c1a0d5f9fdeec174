-- The ledger needs roles that can do only what they must, and schemas owned by a role that cannot log in.
--
-- Role names carry the database's name, for roles are the cluster's and two ledgers may share one:
-- <db>_owner owns everything and migrates; <db>_app decides, records and shows; <db>_sealer alone writes the log;
-- <db>_reporting reads the views, <db>_auditor reads all but the keys. Logins are made elsewhere, as their members.
-- Whoever migrates first must own the database and may create roles (or be a superuser).

do $ground$
declare
    prefix text := current_database() || '_';
    kind text;
    folder text;
begin
    foreach kind in array array['owner', 'app', 'sealer', 'reporting', 'auditor'] loop
        if not exists (select from pg_roles where rolname = prefix || kind) then
            execute format('create role %I nologin', prefix || kind);
        end if;
    end loop;
    if not (select rolsuper from pg_roles where rolname = current_user)
       and not pg_has_role(current_user, (prefix || 'owner')::name, 'usage') then
        execute format('grant %I to current_user', prefix || 'owner');
    end if;

    execute format('grant create on database %I to %I', current_database(), prefix || 'owner');
    execute format('alter schema ledger owner to %I', prefix || 'owner');
    execute format('alter table ledger.migrations owner to %I', prefix || 'owner');
    execute format('set local role %I', prefix || 'owner');

    create schema vault;
    create schema projections;
    create schema schedulers;

    -- What later migrations make for the read side and the time side is the application's to write and the
    -- readers' to read: they need no grant of their own.
    foreach folder in array array['projections', 'schedulers'] loop
        execute format('grant usage on schema %I to %I, %I, %I', folder,
                       prefix || 'app', prefix || 'reporting', prefix || 'auditor');
        execute format('alter default privileges in schema %I grant select, insert, update, delete on tables to %I',
                       folder, prefix || 'app');
        execute format('alter default privileges in schema %I grant usage on sequences to %I',
                       folder, prefix || 'app');
        execute format('alter default privileges in schema %I grant select on tables to %I, %I',
                       folder, prefix || 'reporting', prefix || 'auditor');
    end loop;

    execute format('grant usage on schema ledger to %I, %I, %I, %I',
                   prefix || 'app', prefix || 'sealer', prefix || 'reporting', prefix || 'auditor');
    execute format('grant usage on schema vault to %I', prefix || 'app');
    execute format('grant select on ledger.migrations to %I, %I, %I, %I',
                   prefix || 'app', prefix || 'sealer', prefix || 'reporting', prefix || 'auditor');

    -- Later migrations ask for a role by its kind; a database that is renamed or cloned keeps its roles.
    execute format('create function ledger.role(kind text) returns text language sql immutable '
                   'return %L || kind', prefix);
end
$ground$;
