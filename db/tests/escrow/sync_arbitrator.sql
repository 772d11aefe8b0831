begin;
select plan(9);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set other '''0x00000000000000000000000000000000000000b3'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key)
values (:buyer, 'cHVi'), (:seller, 'cHVi'), (:other, 'cHVi');
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 3, 'hash');
create function pg_temp.make_order(p_number bigint, p_buyer text) returns void language sql as $$
    insert into escrow.orders (
        onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
    )
    values (
        p_number, 'bsc', p_buyer, '0x00000000000000000000000000000000000000b2',
        'd0000000-0000-4000-8000-000000000000', 'USDT', 10, 0.2, 'tx'
    )
$$;

prepare seen as select
    a.is_active,
    a.stake_amount,
    a.stake_token::text
from escrow.arbitrators as a;
create function pg_temp.event(p_chain text, p_block bigint, p_stake text) returns void language sql as $$
    insert into escrow.chain_event (chain, block, log_index, contract, kind, wallet, payload)
    values (
        p_chain::escrow.chain_type, p_block, 0, 'c',
        case when p_stake is null then 'arbitrator_withdrawn' else 'arbitrator_registered' end,
        '0x00000000000000000000000000000000000000b3',
        jsonb_build_object('stake_amount', p_stake, 'stake_token', 'token of ' || p_chain)
    )
$$;
select pg_temp.event('bsc', 7, '499.999999');
select escrow.sync_arbitrator(:other);
select is_empty('seen', 'a stake that is too small makes nobody an arbitrator');
select pg_temp.event('bsc', 9, '700');
select escrow.sync_arbitrator('0x00000000000000000000000000000000000000B3');
select results_eq('seen', $$values (true, 700::numeric, 'token of bsc')$$, 'a stake makes an arbitrator');
select pg_temp.event('bsc', 8, null);
select escrow.sync_arbitrator(:other);
select results_eq(
    'seen', $$values (true, 700::numeric, 'token of bsc')$$,
    'what was earlier in the chain changes nothing'
);
select pg_temp.event('base', 3, '900');
select escrow.sync_arbitrator(:other);
select results_eq('seen', $$values (true, 900::numeric, 'token of base')$$, 'the largest stake of all chains counts');
select pg_temp.event('base', 4, null);
select escrow.sync_arbitrator(:other);
select results_eq(
    'seen', $$values (true, 700::numeric, 'token of bsc')$$,
    'who withdraws on one chain stays on the other'
);
update escrow.arbitrators as a set reputation = 9;
select escrow.sync_arbitrator(:other);
select results_eq(
    'seen', $$values (false, 700::numeric, 'token of bsc')$$,
    'nobody with a reputation below 10 is active'
);
update escrow.arbitrators as a set reputation = 10;
select pg_temp.event('bsc', 10, '400');
select escrow.sync_arbitrator(:other);
select results_eq(
    'seen', $$values (false, 900::numeric, 'token of base')$$,
    'who registers less than 500 is not active'
);
delete from escrow.chain_event;
update escrow.arbitrators as a set is_active = true;
select escrow.sync_arbitrator(:other);
select results_eq(
    'seen', $$values (false, 900::numeric, 'token of base')$$, 'who no longer has a registration is not active'
);
update escrow.chain_event as e set wallet = '0x00000000000000000000000000000000000000b9';
select lives_ok(
    $$select escrow.sync_arbitrator('0x00000000000000000000000000000000000000b9')$$,
    'who has no profile yet is no fault'
);

select * from finish();
rollback;
