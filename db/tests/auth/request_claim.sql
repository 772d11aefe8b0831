begin;
select plan(6);

select is(auth.request_claim('sub'), null, 'in psql there is no token');
set local "request.claims" = '';
select is(auth.request_claim('sub'), null, 'nor is there one where the gateway was given none');
set local "request.claims" = '{"sub": "bob", "role": "user", "sid": null, "roles": {"aqm": ["admin"]}}';
select is(auth.request_claim('sub'), 'bob', 'a token says whom it is for');
select is(auth.request_claim('role'), 'user', 'and what they are');
select is(auth.request_claim('sid'), null, 'a claim of null is none');
select is(auth.request_claim('name'), null, 'nor is one that is not there');

select * from finish();
rollback;
