begin;
select plan(4);

select is(auth.old_keys('index'), '{}', 'a new database has no old keys');
insert into auth.data_keys (kind, version, is_current, proof)
values
('index', 3, false, sha256('')), ('index', 1, false, sha256('')), ('index', 2, true, sha256('')),
('encryption', 1, true, sha256('')), ('encryption', 7, false, sha256(''));
select is(auth.old_keys('index'), '{1,3}', 'all but the one that is written with are old');
select is(auth.old_keys('encryption'), '{7}', 'each kind has its own');
select is(auth.old_keys('other'), '{}', 'an unknown kind has none');

select * from finish();
rollback;
