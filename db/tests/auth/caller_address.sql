begin;
select plan(5);

select is(auth.caller_address(), null, 'in psql nobody tells an address');
set local "request.address" = '';
select is(auth.caller_address(), null, 'an empty one is none');
set local "request.address" = '192.0.2.1';
select is(auth.caller_address(), '192.0.2.1'::inet, 'a caller''s address is known');
set local "request.address" = '2001:db8::1';
select is(auth.caller_address(), '2001:db8::1'::inet, 'in IPv6 as well');
set local "request.address" = 'somewhere';
select throws_ok('select auth.caller_address()', '22P02', null, 'what is no address is not taken for one');

select * from finish();
rollback;
