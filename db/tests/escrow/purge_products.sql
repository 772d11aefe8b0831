begin;
select plan(13);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
insert into escrow.user_profiles (wallet, public_key) values (:buyer, 'cHVi'), (:seller, 'cHVi');
insert into escrow.products (
    seller_wallet, title_preview, description_preview, category, price_usdt, product_hash, status, deleted_at
)
select
    :seller as seller_wallet,
    p.title as title_preview,
    case p.title when 'ordered 2' then '' else 'Text' end as description_preview,
    'data' as category,
    10 as price_usdt,
    'hash' as product_hash,
    case when p.age is null then 'active' else 'deleted' end::escrow.product_status as status,
    now() - p.age as deleted_at
from (
    values
    ('old 1', interval '91 days'), ('old 2', interval '1 year'), ('old 3', interval '91 days'),
    ('ordered 1', interval '91 days'), ('ordered 2', interval '91 days'),
    ('young', interval '90 days'), ('on sale', null)
) as p (title, age);
insert into escrow.orders (
    onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
)
select
    row_number() over () as onchain_order_id,
    'bsc' as chain,
    :buyer as buyer_wallet,
    :seller as seller_wallet,
    p.id as product_id,
    'USDT' as token,
    10 as amount,
    0.2 as platform_fee,
    'tx' as tx_hash_create
from escrow.products as p
where p.title_preview ~ 'ordered|on sale';

select
    throws_ok(
        format('select escrow.purge_products(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    ('0', 'limit must be at least 1', 'to purge none is a mistake'),
    ('1, 0', 'keep_days must be between 1 and 36500', 'a product is kept for a day at least'),
    ('1, 36501', 'keep_days must be between 1 and 36500', 'more than 100 years are a mistake'),
    ('1, null', 'keep_days must be between 1 and 36500', 'without a number nothing is forgotten')
) as bad (arguments, message, description);
select is(escrow.purge_products(2), 2::bigint, 'a purge with a limit forgets no more than that, and says how many');
select is(escrow.purge_products(), 3::bigint, 'a purge without a limit forgets all that are old');
select results_eq(
    'select title_preview::text, description_preview::text, status::text from escrow.products order by 1, 3',
    $$values ('', '', 'deleted'), ('', '', 'deleted'), ('on sale', 'Text', 'active'), ('young', 'Text', 'deleted')$$,
    'one that an order refers to loses its texts, others are gone; what is on sale or not old enough stays'
);
select is(escrow.purge_products(), 0::bigint, 'one without texts is not found again');
delete from escrow.orders;
select is(escrow.purge_products(), 2::bigint, 'and goes when its last order is gone');
select is(escrow.purge_products(10, 89), 1::bigint, 'the time may be another');
select results_eq(
    $$select schedule, step from ops.scheduled_job where name = 'purge_products'$$,
    $$values ('0 4 1 * *', 'escrow.purge_products(1000)')$$, 'it is done once a month'
);
set local role aqm_jobs;
select lives_ok('select escrow.purge_products(1000)', 'the scheduler may purge');
set local role aqm_admin;
select throws_ok(
    'select escrow.purge_products()', '42501', 'permission denied for function purge_products',
    'an administrator has no part in it'
);

select * from finish();
rollback;
