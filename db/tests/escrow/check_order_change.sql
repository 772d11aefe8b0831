begin;
select plan(23);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set judge '''0x00000000000000000000000000000000000000b3'''
\set other '''0x00000000000000000000000000000000000000b4'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key)
values (:buyer, 'cHVi'), (:seller, 'cHVi'), (:judge, 'cHVi'), (:other, 'cHVi');
insert into escrow.arbitrators (wallet, stake_amount, stake_token)
values (:judge, 500, :judge), (:other, 500, :other);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 3, 'hash'),
('d0000000-0000-4000-8000-000000000001', :seller, 'Title', 'Text', 'data', 10, 3, 'hash');
insert into escrow.orders (
    onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
)
values (1, 'bsc', :buyer, :seller, :product, 'USDT', 10, 0.2, 'tx');

-- Who writes here is the database's superuser.
create function pg_temp.change(p_assignments text) returns text language plpgsql as $$
begin
    execute 'update escrow.orders set ' || p_assignments;
    return 'changed';
exception when sqlstate 'PT409' then
    return sqlerrm;
end
$$;
select is(pg_temp.change('product_hash = ''was sold'''), 'changed', 'what was not noted may be');
select is(pg_temp.change(bad.assignments), bad.message, bad.description)
from (
    values
    ('party_status = ''completed''', 'party_status follows from status', 'what the parties did can''t be rewritten'),
    ('onchain_order_id = 2', 'an order keeps its onchain_order_id', 'no hand gives an order another number'),
    ('onchain_order_id = -1', 'an order keeps its onchain_order_id', 'nor makes it false'),
    ('chain = ''base''', 'an order keeps its onchain_order_id', 'nor moves it to another chain'),
    (format('buyer_wallet = %L', :other), 'an order keeps its parties', 'nor gives it to another buyer'),
    (format('seller_wallet = %L', :other), 'an order keeps its parties', 'or seller'),
    (
        'product_id = ''d0000000-0000-4000-8000-000000000001''', 'an order keeps its product',
        'nor makes it one of another product'
    ),
    ('product_hash = ''another''', 'an order keeps its product', 'of which something else was promised'),
    ('product_hash = null', 'an order keeps its product', 'or nothing'),
    ('amount = 11', 'token, amount and platform_fee follow from the contract''s event', 'nor changes what was paid'),
    ('token = ''USDC''', 'token, amount and platform_fee follow from the contract''s event', 'in what'),
    ('platform_fee = 0', 'token, amount and platform_fee follow from the contract''s event', 'and what of it is ours')
) as bad (assignments, message, description);
select is(
    pg_temp.change(format('status = ''seller_confirmed'', arbitrator_wallet = %L', :judge)), 'changed',
    'an active arbitrator may be assigned'
);
update escrow.orders set status = 'disputed';
select is(
    pg_temp.change(format('arbitrator_wallet = %L', '0x00000000000000000000000000000000000000b5')),
    'arbitrator_wallet must be an active arbitrator who is not blacklisted', 'nobody else rules'
);
update escrow.arbitrators set is_active = false
where wallet = :other;
select is(
    pg_temp.change(format('arbitrator_wallet = %L', :other)),
    'arbitrator_wallet must be an active arbitrator who is not blacklisted', 'nor who is active no more'
);
update escrow.arbitrators set is_active = true;
insert into escrow.blacklist (wallet, reason) values (:other, 'thief');
select is(
    pg_temp.change(format('arbitrator_wallet = %L', :other)),
    'arbitrator_wallet must be an active arbitrator who is not blacklisted', 'nor who is blacklisted'
);
update escrow.arbitrators set is_active = false;
select is(
    pg_temp.change(format('dispute_deadline = now(), arbitrator_wallet = %L', :judge)), 'changed',
    'who was assigned before may stay'
);
select is(pg_temp.change('arbitrator_wallet = null'), 'changed', 'a dispute may be left without an arbitrator');
select is(
    pg_temp.change(format('arbitrator_wallet = %L', :judge)),
    'arbitrator_wallet must be an active arbitrator who is not blacklisted', 'but not go back to who may not rule'
);
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 1, 0, 'c', 'created', 1, '{"amount": "12.5", "token": "USDC"}');
select is(
    pg_temp.change('token = ''USDC'', amount = 12.5, platform_fee = 0.26'),
    'token, amount and platform_fee follow from the contract''s event', 'a fee is 2 % in any case'
);
select is(
    pg_temp.change('token = ''USDC'', amount = 12.5, platform_fee = 0.25'), 'changed',
    'what the contract says may be written'
);
select results_eq(
    'select buyer_wallet::text, token::text, amount, product_hash::text from escrow.orders',
    format('values (%L, ''USDC'', 12.5, ''was sold'')', :buyer), 'what was refused has changed nothing'
);

select * from finish();
rollback;
