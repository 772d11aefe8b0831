begin;
select plan(24);

create function pg_temp.refused(p_kind text, p_payload text, p_message text, p_why text) returns text
language sql as $$
    select throws_ok(
        format('select escrow.check_chain_event(%L, %L)', p_kind, p_payload), '22023', p_message, p_why
    )
$$;
select pg_temp.refused(
    null, '{"order_id": 1}', $$kind must be an order's status, arbitrator_registered or arbitrator_withdrawn$$,
    'an event without a kind is refused'
);
select pg_temp.refused(
    'paid', '{"order_id": 1}', $$kind must be an order's status, arbitrator_registered or arbitrator_withdrawn$$,
    'an event of an unknown kind is refused'
);
select pg_temp.refused('created', null, 'payload must be an object', 'an event without payload is refused');
select pg_temp.refused('created', '[1]', 'payload must be an object', 'a payload that is a list is refused');
select
    pg_temp.refused(
        'created', p, 'payload.order_id must be a whole number from 0 to 9223372036854775807',
        format('an order_id can''t be %s', p)
    )
from unnest(array[
    '{}', '{"order_id": "1"}', '{"order_id": -1}', '{"order_id": 1.5}', '{"order_id": 9223372036854775808}'
]) as p;
select lives_ok(
    $$select escrow.check_chain_event(k::text, '{"order_id": 9223372036854775807, "by": null}')
    from unnest(enum_range(null::escrow.order_status)) as k$$,
    'each status is a kind, the largest number a number, and null is nothing'
);
select pg_temp.refused(
    'cancelled', '{"order_id": 1, "by": "me"}', 'payload.by must be 0x and 40 hex digits',
    'who cancelled is a wallet'
);
select pg_temp.refused(
    'created', '{"order_id": 1, "buyer": 7}', 'payload.buyer must be 0x and 40 hex digits', 'the buyer is a wallet'
);
select pg_temp.refused(
    'completed', '{"order_id": 1, "tx_hash": "0x1"}', 'payload.tx_hash must be 0x and 64 hex digits',
    'a transaction is a hash'
);
select
    pg_temp.refused(
        'created', format('{"order_id": 1, "amount": %s}', p),
        'payload.amount must be a string of a number with at most six decimals', format('what was paid can''t be %s', p)
    )
from unnest(array['12.5', '"-1"', '"1.0000001"', '"1e3"']) as p;
select pg_temp.refused(
    'created', '{"order_id": 1, "token": "U S"}', 'payload.token must be USDT, USDC, or what else was paid',
    'nor in what has no name'
);
select lives_ok(
    $$select escrow.check_chain_event('created', '{"order_id": 1, "amount": "999999999999.999999", "token": "USDC"}')$$,
    'what was paid may be much'
);
\set wallet '"0x00000000000000000000000000000000000000b3"'
\set pledge '"wallet": ' :wallet ', "stake_token": ' :wallet
select pg_temp.refused(
    'arbitrator_withdrawn', '{}', 'payload.wallet must be 0x and 40 hex digits', 'an arbitrator has a wallet'
);
select pg_temp.refused(
    'arbitrator_registered', '{"wallet": "0x00000000000000000000000000000000000000b3", "stake_amount": "500"}',
    'payload.stake_token must be 0x and 40 hex digits', 'a stake is in a token'
);
select pg_temp.refused(
    'arbitrator_registered', '{' || :'pledge' || ', "stake_amount": 500}',
    'payload.stake_amount must be a string of a number with at most six decimals',
    'a stake that is no string is refused'
);
select pg_temp.refused(
    'arbitrator_registered', '{' || :'pledge' || ', "stake_amount": "NaN"}',
    'payload.stake_amount must be a string of a number with at most six decimals', 'a stake is a number'
);
select lives_ok(
    format(
        $$select escrow.check_chain_event('arbitrator_registered', %L)$$, '{' || :'pledge' || ', "stake_amount": "3.5"}'
    ),
    'a stake of any size is an event'
);

select * from finish();
rollback;
