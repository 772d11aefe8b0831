begin;
select plan(20);

\ir setup/orders.sql

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
