-- After the vault of a backup was loaded: keys made since come back, and whoever was erased stays erased.

insert into vault.subjects select * from pg_temp.present_subjects on conflict (book, person) do nothing;
insert into vault.book_keys select * from pg_temp.present_book_keys on conflict (book, purpose) do nothing;
insert into vault.directory select * from pg_temp.present_directory on conflict do nothing;
insert into vault.directory_words select * from pg_temp.present_words on conflict do nothing;

update vault.subjects s
set wrapped = null, master_id = null, erased_at = p.erased_at, erased_because = p.erased_because
from pg_temp.present_subjects p
where (s.book, s.person) = (p.book, p.person) and p.wrapped is null and s.wrapped is not null;

-- The log may say so where the present vault does not: that of a machine which was set up anew.
update vault.subjects s
set wrapped = null, master_id = null, erased_at = e.recorded_at, erased_because = 'the log says so'
from (
    select book, convert_from(payload, 'UTF8')::json ->> 'person' as person, max(recorded_at) as recorded_at
    from ledger.events
    where type in ('contract.SubjectErased', 'claim.SubjectErased', 'complaint.SubjectErased')
    group by book, person
) as e
where (s.book, s.person) = (e.book, e.person) and s.wrapped is not null;

delete from vault.directory d using vault.subjects s
where (d.book, d.person) = (s.book, s.person) and s.wrapped is null;
delete from vault.directory_words w using vault.subjects s
where (w.book, w.person) = (s.book, s.person) and s.wrapped is null;

alter table vault.subjects enable trigger living_master;
alter table vault.book_keys enable trigger living_master;
