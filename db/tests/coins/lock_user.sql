begin;
select plan(4);

create view pg_temp.held as
select count(*) as locks
from pg_locks
where pid = pg_backend_pid() and locktype = 'advisory' and mode = 'ExclusiveLock' and granted;

do $$ begin perform coins.lock_user('b0b00000-0000-4000-8000-000000000000'); end $$;
select results_eq(
    'select locks from pg_temp.held', array[1::bigint],
    'an upload holds its user''s lock after the call, until the transaction ends'
);
do $$ begin perform coins.lock_user('b0b00000-0000-4000-8000-000000000000'); end $$;
select results_eq(
    'select locks from pg_temp.held', array[1::bigint],
    'a second upload of the user wants the same lock'
);
do $$ begin perform coins.lock_user('ca401000-0000-4000-8000-000000000000'); end $$;
select results_eq(
    'select locks from pg_temp.held', array[2::bigint],
    'an upload of another user does not wait for it'
);
select is_empty(
    format(
        $$select pid from pg_locks
        where pid = pg_backend_pid() and relation = 'coins.coin_inventory'::regclass$$
    ),
    'a claim meets no lock of an upload on the coins'
);

select * from finish();
rollback;
