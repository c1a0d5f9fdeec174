-- People write a contract's number in any case, with blanks and hyphens variously: CC-7-00061, cc 7 00061.

create function ledger.folded_number(number text) returns text
language sql immutable strict parallel safe
as $fold$
    select lower(
        regexp_replace(
            number collate "C",
            '[-\s\u00a0\u00ad\u2000-\u2015\u2028\u2029\u202f\u205f\u2060\u2212\u3000\ufe58\ufe63\ufeff\uff0d]',
            '',
            'g'
        )
    )
$fold$;

create index events_folded_contract_numbers on ledger.events (book, ledger.folded_number(substr(stream, 10)))
where version = 1 and stream like 'contract/%';
