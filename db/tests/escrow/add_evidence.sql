begin;
select plan(20);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set judge '''0x00000000000000000000000000000000000000b3'''
\set stranger '''0x00000000000000000000000000000000000000b4'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key, created_at)
values
(:buyer, 'cHVi', now() - interval '30 days'), (:seller, 'cHVi', now() - interval '30 days'),
(:judge, 'cHVi', now() - interval '30 days'), (:stranger, 'cHVi', now() - interval '30 days');
insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:judge, 500, :judge);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 30, 'hash');
create function pg_temp.order_at(p_number integer, p_status text) returns uuid language plpgsql as $$
declare
    v_id uuid := format('0a000000-0000-4000-8000-%s', lpad(p_number::text, 12, '0'));
    v_step text;
begin
    insert into escrow.orders (
        id, onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee,
        tx_hash_create
    )
    values (
        v_id, p_number, 'bsc', '0x00000000000000000000000000000000000000b1',
        '0x00000000000000000000000000000000000000b2', 'd0000000-0000-4000-8000-000000000000', 'USDT', 10, 0.2, 'tx'
    );
    foreach v_step in array case p_status
        when 'created' then '{}'
        when 'cancelled' then '{cancelled}'
        when 'expired' then '{expired}'
        when 'seller_confirmed' then '{seller_confirmed}'
        when 'completed' then '{seller_confirmed,completed}'
        when 'disputed' then '{seller_confirmed,disputed}'
        else array['seller_confirmed', 'disputed', p_status]
    end::text[]
    loop
        update escrow.orders as o set status = v_step::escrow.order_status where o.id = v_id;
    end loop;
    return v_id;
end
$$;

select
    pg_temp.order_at(1, 'disputed') as id,
    pg_temp.order_at(2, 'seller_confirmed') as other,
    'Qm' || repeat('z', 44) as cid
\gset
select
    throws_like(
        format('select escrow.add_evidence(%L, %L, %L)', :'id', :buyer, bad.hash),
        'ipfs_hash must be %',
        bad.description
    )
from (
    values
    (null, 'evidence is somewhere'), ('', 'not nowhere'), ('Qm' || repeat('z', 43), 'an identifier is not shorter'),
    ('Qm' || repeat('z', 45), 'nor longer'), ('Qm' || repeat('0', 44), 'base58 has no zero'),
    ('Qm' || repeat('l', 44), 'nor a small L'), ('b' || repeat('a', 57), 'one of version 1 is not shorter'),
    ('b' || repeat('a', 100), 'nor longer than its column'), ('b' || repeat('1', 58), 'base32 has no one'),
    ('B' || repeat('A', 58), 'nor capitals'), ('Qm' || repeat('z', 44) || chr(10), 'a line break is none of it')
) as bad (hash, description);
select throws_ok(
    format('select escrow.add_evidence(%L, %L, %L, null)', :'id', :buyer, :'cid'), '22023',
    'evidence_type must not be null', 'it is of some type'
);
set local role aqm_wallet;
select results_eq(
    format(
        'select e.submitter_wallet, e.ipfs_hash, e.evidence_type::text from (
            values (%L, %L, ''other''), (%L, ''b'' || repeat(''7'', 58), ''screenshot'')
        ) as w (wallet, hash, type), escrow.add_evidence(%L, w.wallet, w.hash, w.type::escrow.evidence_type) as e',
        :buyer, :'cid', :seller, :'id'
    ),
    format('values (%L, %L, ''other''), (%L, ''b'' || repeat(''7'', 58), ''screenshot'')', :buyer, :'cid', :seller),
    'both parties submit evidence'
);
select is(
    (select e.evidence_type::text from escrow.add_evidence(:'id', :buyer, :'cid', 'screenshot') as e), 'other',
    'the same again is answered with the first'
);
select is(
    (select count(*) from escrow.add_evidence(:'id', :seller, :'cid')), 1::bigint, 'though the other may say the same'
);
select throws_ok(
    format('select escrow.add_evidence(%L, %L, %L)', :'id', :judge, :'cid'), '42501', 'evidence is of the parties',
    'an arbitrator brings none'
);
select is_empty(
    format('select escrow.add_evidence(%L, %L, %L)', :'id', :stranger, :'cid'), 'to a stranger there is no order'
);
select throws_ok(
    format('select escrow.add_evidence(%L, %L, %L)', :'other', :buyer, :'cid'), 'PT409',
    'an order that is seller_confirmed takes no evidence', 'without a dispute there is no evidence'
);
reset role;
select is((select count(*) from escrow.dispute_evidence), 3::bigint, 'each piece is there once');
update escrow.orders set status = 'resolved_buyer'
where id = :'id';
select throws_ok(
    format('select escrow.add_evidence(%L, %L, %L)', :'id', :buyer, :'cid'), 'PT409',
    'an order that is resolved_buyer takes no evidence', 'nor after a ruling'
);

select * from finish();
rollback;
