begin;
select plan(14);

insert into auth.signing_keys (kid, public_key)
values
(repeat('a', 43), repeat('a', 32)::bytea), (repeat('b', 43), repeat('b', 32)::bytea),
(repeat('c', 43), repeat('c', 32)::bytea);
create view pg_temp.good as
select left(k.kid, 1) as kid from auth.list_signing_keys() as k;

select is(
    auth.retire_signing_key(repeat('a', 43)), now() + interval '20 minutes',
    'an operator who retires a key is told until when its tokens are good'
);
select set_eq('select * from pg_temp.good', $$values ('a'), ('b'), ('c')$$, 'so that those that are out may expire');
select is(auth.retire_signing_key(repeat('b', 43), '0'), now(), 'a stolen key is retired at once');
select set_eq('select * from pg_temp.good', $$values ('a'), ('c')$$, 'and its tokens are refused');
select is(auth.retire_signing_key(repeat('b', 43)), now(), 'whoever retires it once more does not bring it back');
select is(
    auth.retire_signing_key(repeat('a', 43), '1 minute'), now() + interval '1 minute', 'but may hasten another''s end'
);
select results_eq(
    $$select action, left(detail ->> 'kid', 1), (detail ->> 'until')::timestamptz from auth.audit_logs order by id$$,
    $$values
    ('signing_key.retired', 'a', now() + interval '20 minutes'), ('signing_key.retired', 'b', now()),
    ('signing_key.retired', 'b', now()), ('signing_key.retired', 'a', now() + interval '1 minute')$$,
    'each of these leaves a trace'
);
select throws_ok(format('select auth.retire_signing_key(%s)', bad.arguments), bad.code, bad.message, bad.description)
from (
    values
    ($$'unknown'$$, 'PT404', 'there is no such signing key', 'an unknown key is none'),
    ('null', 'PT404', 'there is no such signing key', 'nor is no key'),
    ($$repeat('c', 43), '-1 s'$$, '22023', 'after must be between 0 and 366 days', 'time does not run back'),
    ($$repeat('c', 43), '367 days'$$, '22023', 'after must be between 0 and 366 days', 'a key has an end'),
    ($$repeat('c', 43), null$$, '22023', 'after must be between 0 and 366 days', 'which is told')
) as bad (arguments, code, message, description);
select set_eq('select * from pg_temp.good', $$values ('a'), ('c')$$, 'a refusal retires nothing');
set local role aqm_admin;
select throws_ok(
    $$select auth.retire_signing_key(repeat('c', 43))$$, '42501', 'permission denied for function retire_signing_key',
    'an administrator over HTTP can''t lock everybody out'
);

select * from finish();
rollback;
