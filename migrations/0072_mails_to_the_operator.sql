-- The operator is mailed what needs a person, once an hour at most, whichever machine looks.

create table ledger.operator_mails (
    book text collate "C" not null,
    place text collate "C" not null,        -- the address
    concerns text[] not null default '{}',  -- what was told of and still stands
    sent_at timestamptz,
    sending_at timestamptz,                 -- a machine is about to send; forgotten where that takes minutes
    primary key (book, place)
);

do $grants$
begin
    execute format('grant select, insert, update on ledger.operator_mails to %I', ledger.role('app'));
    execute format('grant select on ledger.operator_mails to %I', ledger.role('auditor'));
end
$grants$;
