begin;
select plan(14);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
do $$ begin perform auth.use_data_key('index', 1); end $$;
insert into auth.users (id, email_hash, username, aadhaar_hash, aadhaar_version)
values (:bob, auth.blind_index('bob@example.com', 1), 'bob', auth.blind_index('aadhaar:123456789012', 1), 1);

create function pg_temp.refusal(p_email text, p_username text, p_aadhaar text, out name text)
language plpgsql
as $$
begin
    perform auth.check_unused(null, p_email, p_username, p_aadhaar);
exception
    when sqlstate 'PT409' then
        get stacked diagnostics name = constraint_name;
end
$$;

select
    throws_ok(
        format('select auth.check_unused(null, %s)', taken.arguments), 'PT409', taken.message, taken.description
    )
from (
    values
    ($$'bob@example.com', null, null$$, 'there is an account with this email', 'an address has one account'),
    ($$null, 'bob', null$$, 'there is an account with this username', 'a username as well'),
    ($$null, null, '123456789012'$$, 'there is an account with this aadhaar', 'an Aadhaar number as well')
) as taken (arguments, message, description);
select results_eq(
    $$values
    (pg_temp.refusal('bob@example.com', null, null)), (pg_temp.refusal(null, 'bob', null)),
    (pg_temp.refusal(null, null, '123456789012'))$$,
    $$values ('users_email'), ('users_username'), ('users_aadhaar')$$,
    'a client is told by name what is taken'
);
select lives_ok(
    $$select auth.check_unused(null, 'eve@example.com', 'eve', '210987654321')$$,
    'what nobody has is free'
);
select lives_ok('select auth.check_unused(null, null, null, null)', 'and what nobody asks for');
select lives_ok(
    $$select auth.check_unused(null, '123456789012@example.com', '123456789012', null)$$,
    'a number is taken as an Aadhaar number alone'
);
select lives_ok(
    format($$select auth.check_unused(%L, 'bob@example.com', 'bob', '123456789012')$$, :bob),
    'an account may keep what it has'
);

create view pg_temp.held as
select count(*) as locks
from pg_locks
where pid = pg_backend_pid() and locktype = 'advisory' and mode = 'ExclusiveLock' and granted;
select locks as before from pg_temp.held
\gset
select lives_ok(
    $$select auth.check_unused(null, 'carol@example.com', 'carol', '111122223333')$$,
    'a third may ask'
);
select is(
    (select locks from pg_temp.held), :before + 2::bigint,
    'the address and the number are held until the end: of two who come at once the second is refused'
);

select lives_ok($$select auth.use_data_key('index', 2)$$, 'the index key is changed');
select throws_ok(
    $$select auth.check_unused(null, 'bob@example.com', null, null)$$, 'PT409', null,
    'an address is taken whichever version of the key it was written with'
);
update auth.users
set deleted_at = now();
select lives_ok(
    $$select auth.check_unused(null, 'bob@example.com', 'bob', '123456789012')$$,
    'what a deleted account had is free'
);
set local "aqm.index_keys" = '';
select throws_ok(
    $$select auth.check_unused(null, 'eve@example.com', null, null)$$, 'PT503', 'the index keys are missing',
    'without the keys nothing is called free'
);

select * from finish();
rollback;
