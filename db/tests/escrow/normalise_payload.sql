begin;
select plan(4);

select is(
    escrow.normalise_payload(
        '{"order_id": 7, "buyer": "0xAB", "seller": "0xCd", "by": "0xEF", "tx_hash": "0xABC", "token": "USDT",
        "amount": "012.500000"}'
    ),
    '{"order_id": 7, "buyer": "0xab", "seller": "0xcd", "by": "0xef", "tx_hash": "0xabc", "token": "USDT",
    "amount": "12.5"}'::jsonb,
    'an order''s event has one spelling'
);
select is(
    escrow.normalise_payload('{"wallet": "0xAB", "stake_amount": "500.0", "stake_token": "0xCD"}'),
    '{"wallet": "0xab", "stake_amount": "500", "stake_token": "0xcd"}'::jsonb, 'and so has an arbitrator''s'
);
select is(
    escrow.normalise_payload('{"order_id": 9223372036854775807, "by": null, "gas": 21000}'),
    '{"order_id": 9223372036854775807}'::jsonb, 'what says nothing, or nothing that is asked for, is left out'
);
select is(
    escrow.normalise_payload(escrow.normalise_payload('{"order_id": 0, "amount": "0.10", "by": "0xAB"}')),
    '{"order_id": 0, "amount": "0.1", "by": "0xab"}'::jsonb, 'what is normal stays as it is'
);

select * from finish();
rollback;
