begin;
-- Strangers themselves come over HTTP: gateway/tests/test_auth.py.
select plan(2);

select is(auth.is_stranger(), false, 'a DBA is none');
set local "request.claims" = '{"sub": "x", "role": "admin"}';
select is(auth.is_stranger(), false, 'nor is an admin');

select * from finish();
rollback;
