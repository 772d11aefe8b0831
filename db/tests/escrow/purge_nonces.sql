begin;
select plan(7);

insert into escrow.sign_in_nonce (nonce, wallet, expires_at)
select
    number::text as nonce,
    '0x00000000000000000000000000000000000000b1' as wallet,
    now() - number * interval '1 second' as expires_at
from generate_series(-1, 5) as number;

select throws_ok('select escrow.purge_nonces(0)', '22023', 'limit must be at least 1', 'to purge none is a mistake');
select is(escrow.purge_nonces(2), 2::bigint, 'a purge with a limit forgets no more, and says how many');
select is(escrow.purge_nonces(), 4::bigint, 'a purge without a limit forgets all that are good no more');
select results_eq('select nonce from escrow.sign_in_nonce', $$values ('-1')$$, 'what is good stays');
select is(escrow.purge_nonces(null), 0::bigint, 'a purge that is repeated finds nothing');
set local role aqm_jobs;
select lives_ok('select escrow.purge_nonces(1000)', 'the scheduler may purge');
set local role aqm_admin;
select throws_ok(
    'select escrow.purge_nonces()', '42501', 'permission denied for function purge_nonces', 'nobody else may'
);

select * from finish();
rollback;
