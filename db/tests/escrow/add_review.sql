begin;
select plan(28);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set other '''0x00000000000000000000000000000000000000b3'''
\set arbitrator '''0x00000000000000000000000000000000000000b4'''
\set product '''d0000000-0000-4000-8000-000000000000'''
\set id '''0a000000-0000-4000-8000-000000000001'''
insert into escrow.user_profiles (wallet, public_key)
values (:buyer, 'cHVi'), (:seller, 'cHVi'), (:other, 'cHVi'), (:arbitrator, 'cHVi');
insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:arbitrator, 500, :arbitrator);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 30, 'hash');
insert into escrow.orders (
    id, onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
)
select
    format('0a000000-0000-4000-8000-00000000000%s', n)::uuid as id,
    n as onchain_order_id,
    'bsc' as chain,
    :buyer as buyer_wallet,
    :seller as seller_wallet,
    :product as product_id,
    'USDT' as token,
    10 as amount,
    0.2 as platform_fee,
    'tx' as tx_hash_create
from generate_series(1, 8) as n;
create function pg_temp.review(p_order integer, p_who text, p_rating integer)
returns setof escrow.review_view language sql as $$
    select * from escrow.add_review(
        format('0a000000-0000-4000-8000-00000000000%s', p_order)::uuid,
        ('0x00000000000000000000000000000000000000' || p_who)::gateway.wallet, p_rating
    )
$$;
-- One order of each status, in the order of the type.
update escrow.orders set status = 'cancelled'
where onchain_order_id = 7;
update escrow.orders set status = 'expired'
where onchain_order_id = 8;
update escrow.orders set status = 'seller_confirmed'
where onchain_order_id between 2 and 6;
update escrow.orders set status = 'completed'
where onchain_order_id = 3;
update escrow.orders set status = 'disputed', arbitrator_wallet = :arbitrator
where onchain_order_id between 4 and 6;
update escrow.orders set status = 'resolved_buyer'
where onchain_order_id = 5;
update escrow.orders set status = 'resolved_seller'
where onchain_order_id = 6;

set local role aqm_wallet;
select
    throws_ok(
        format($$select pg_temp.review(%s, 'b1', 5)$$, o.n),
        'PT409',
        format('an order that is %s can''t be reviewed', o.status),
        format('an order that is %s is not reviewed', o.status)
    )
from
    (values (1, 'created'), (2, 'seller_confirmed'), (4, 'disputed'), (7, 'cancelled'), (8, 'expired'))
        as o (n, status);
select results_eq(
    $$select reviewer_wallet, target_wallet, rating::integer, created_at from pg_temp.review(3, 'b1', 5)$$,
    format('values (%L, %L, 5, now())', :buyer, :seller), 'a buyer reviews the seller of a completed order'
);
select results_eq(
    $$select reviewer_wallet, target_wallet, rating::integer from pg_temp.review(3, 'b2', 4)$$,
    format('values (%L, %L, 4)', :seller, :buyer), 'and the seller the buyer'
);
select results_eq(
    format('select rating, reputation_score from escrow.find_profile(%L)', :seller),
    'values (5.00, 1.00 + 2 - 2 + 0.50)',
    'five stars count in the rating, and half a point in the reputation'
);
select results_eq(
    format('select rating, reputation_score from escrow.find_profile(%L)', :buyer), 'values (4.00, 1.00 + 2 - 2)',
    'four count in the rating alone'
);
select results_eq(
    $$select target_wallet, rating::integer from pg_temp.review(5, 'b1', 2)$$, format('values (%L, 2)', :seller),
    'an order ruled for the buyer is reviewed'
);
select isnt_empty($$select pg_temp.review(6, 'b1', 1)$$, 'and one ruled for the seller');
select results_eq(
    format('select rating, reputation_score from escrow.find_profile(%L)', :seller), 'values (2.67, 1.50)',
    'the rating is the mean of all'
);
reset role;
select results_eq(
    'select rating_count, rating_sum, reputation_sum from escrow.user_profiles order by wallet limit 2',
    'values (1, 4, 1::numeric), (3, 8, 1.5)', 'each review is counted once'
);
select results_eq(
    format('select (r).rating, (r).reputation_score from escrow.recompute_profile(%L) as r', :seller),
    'values (2.67, 1.50)', 'counting from scratch gives the same'
);
set local role aqm_wallet;
select results_eq(
    $$select id, rating::integer from pg_temp.review(3, 'b1', 5)$$,
    $$select id, 5 from pg_temp.review(3, 'b1', 5)$$, 'a review that is repeated is answered with the first'
);
select throws_ok(
    $$select pg_temp.review(3, 'b1', 4)$$, 'PT409', 'reviewer_wallet has reviewed this order already',
    'nobody changes a review'
);
select is_empty($$select pg_temp.review(9, 'b1', 5)$$, 'no order, no review');
select is_empty($$select pg_temp.review(3, 'b3', 5)$$, 'nobody but the parties reviews an order, or hears of it');
select throws_ok(
    $$select pg_temp.review(6, 'b4', 5)$$, '42501', 'reviewer_wallet is not a party of this order',
    'its arbitrator knows of it, and reviews nobody'
);
select throws_ok(
    $$select pg_temp.review(3, 'ff', 5)$$, '22023', 'reviewer_wallet has no profile', 'a stranger even less'
);
select
    throws_ok(
        format($$select pg_temp.review(6, 'b2', %s)$$, bad.rating),
        '22023',
        'rating must be between 1 and 5',
        bad.description
    )
from
    (values ('0', 'there is a star at least'), ('6', 'and five at most'), ('null', 'and some'))
        as bad (rating, description);
reset role;
select is(
    (
        select u.rating_count from escrow.user_profiles as u
        where u.wallet = :seller
    ),
    3,
    'repeats and refusals count nothing'
);
insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)
values ('bsc', 7, 0, :other, 'cancelled', 3, '{}');
update escrow.orders set chain_status = 'cancelled'
where onchain_order_id = 3;
select is(
    (
        select u.rating_count from escrow.user_profiles as u
        where u.wallet = :seller
    ), 3,
    'a review stays where the contract takes the trade back'
);
insert into escrow.blacklist (wallet, reason) values (:seller, 'fraud');
update escrow.user_profiles set updated_at = now();
select throws_ok(
    $$select pg_temp.review(6, 'b2', 5)$$,
    '42501',
    'reviewer_wallet is blacklisted',
    'who is blacklisted reviews nobody'
);
select isnt_empty($$select pg_temp.review(6, 'b1', 1)$$, 'but is reviewed');
set local role aqm_anon;
select throws_ok(
    format('select escrow.add_review(%L, %L, 5)', :id, :buyer), '42501', 'permission denied for function add_review',
    'nobody is no party'
);

select * from finish();
rollback;
