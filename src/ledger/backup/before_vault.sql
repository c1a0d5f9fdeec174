-- Before the vault of a backup is loaded: the present keys are put aside, for none of them may be lost.

create temporary table present_subjects on commit drop as table vault.subjects;
create temporary table present_book_keys on commit drop as table vault.book_keys;
create temporary table present_directory on commit drop as table vault.directory;
create temporary table present_words on commit drop as table vault.directory_words;

alter table vault.subjects disable trigger living_master;
alter table vault.book_keys disable trigger living_master;
truncate vault.subjects, vault.book_keys, vault.directory, vault.directory_words;
