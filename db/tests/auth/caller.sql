begin;
select plan(4);

select is(auth.caller(), session_user::text, 'in psql the login of the database calls');
set local role aqm_auth_owner;
select is(auth.caller(), session_user::text, 'and goes on to be named as whatever role it works');
set local "request.claims" = '{"sub": "b0b00000-0000-4000-8000-000000000000"}';
select is(auth.caller(), 'b0b00000-0000-4000-8000-000000000000', 'whoever has a token is named by it');
set local "request.claims" = '';
select is(auth.caller(), session_user::text, 'a request without a token has the gateway''s login');

select * from finish();
rollback;
