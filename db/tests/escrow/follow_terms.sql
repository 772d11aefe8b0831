begin;
select plan(5);

create function pg_temp.follows(p_payload jsonb) returns text language plpgsql as $$
declare
    v_order escrow.orders;
begin
    delete from escrow.chain_event;
    insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
    values ('bsc', 1, 0, 'c', 'created', 1, p_payload);
    v_order.chain := 'bsc';
    v_order.onchain_order_id := 1;
    v_order.token := 'USDT';
    v_order.amount := 10;
    v_order.platform_fee := 0.2;
    v_order := escrow.follow_terms(v_order);
    return concat_ws(' ', v_order.token, v_order.amount, v_order.platform_fee);
end
$$;
select is(pg_temp.follows('{}'), 'USDT 10.000000 0.200000', 'what the contract does not say stays');
select is(pg_temp.follows('{"token": "USDC"}'), 'USDC 10.000000 0.200000', 'it may say the token alone');
select is(pg_temp.follows('{"amount": "12.5"}'), 'USDT 12.500000 0.250000', 'the fee is 2 % of what was paid');
select is(
    pg_temp.follows('{"amount": "1.000025"}'), 'USDT 1.000025 0.020001', 'half a millionth of the fee goes up'
);
select is(
    pg_temp.follows('{"amount": "999999999999.999999", "token": "USDC"}'),
    'USDC 999999999999.999999 20000000000.000000', 'the largest amount that an event may have fits in'
);

select * from finish();
rollback;
