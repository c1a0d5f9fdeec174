-- What the types of a book's CloudEvents begin with. Subscribers filter by them, so a book keeps its own for good:
-- books from before the program was called coverledger go on as claims-ledger.

alter table ledger.books
    add column event_type_prefix text collate "C" not null default 'claims-ledger'
        check (event_type_prefix ~ '^[a-z][a-z0-9-]*$');
alter table ledger.books alter column event_type_prefix set default 'coverledger';
