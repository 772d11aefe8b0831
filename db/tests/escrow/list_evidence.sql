begin;
select plan(10);

\ir setup/orders.sql

select
    pg_temp.order_at(1, 'disputed') as id,
    pg_temp.order_at(2, 'disputed') as other
\gset
insert into escrow.dispute_evidence (id, order_id, submitter_wallet, ipfs_hash, created_at)
select
    format('0e000000-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid as id,
    case when n = 9 then :'other' else :'id' end::uuid as order_id,
    :seller as submitter_wallet,
    n::text as ipfs_hash,
    now() + interval '1 second' * (n / 2) as created_at
from generate_series(1, 9) as n;
create function pg_temp.numbers(p_wallet text, p_after integer default null, p_limit integer default 50)
returns text language sql as $$
    select string_agg(l.ipfs_hash, ' ' order by l.ordinality)
    from escrow.list_evidence(
        '0a000000-0000-4000-8000-000000000001', p_wallet,
        ('0e000000-0000-4000-8000-' || lpad(p_after::text, 12, '0'))::uuid, p_limit
    ) with ordinality as l
$$;

set local role aqm_wallet;
select is(
    (select count(*) from escrow.list_evidence(:'id', :buyer)), 8::bigint, 'a party sees the evidence of both'
);
reset role;
select
    is(
        (select string_agg(e.ipfs_hash, ' ') from escrow.list_evidence(:'id', :judge) as e),
        '1 2 3 4 5 6 7 8',
        'the oldest first'
    );
select is(pg_temp.numbers(:seller, 2, 3), '3 4 5', 'a page goes on where the one before ended');
select is(pg_temp.numbers(:seller, 8), null, 'after the last there is nothing');
select throws_ok(
    format('select pg_temp.numbers(%L)', :stranger),
    'PT404',
    'there is no such order',
    'to a stranger there is no order'
);
select throws_ok(
    format('select pg_temp.numbers(%L, 9)', :buyer), '22023', 'after must be evidence of the order',
    'another order''s evidence is no place in this one'
);
select throws_ok(
    format('select pg_temp.numbers(%L, 1, 101)', :buyer),
    '22023',
    'limit must be between 1 and 100',
    'a page has an end'
);
select results_eq(
    format(
        'select submitter_wallet, evidence_type::text, created_at from escrow.list_evidence(%L, %L, p_limit => 1)',
        :'id',
        :buyer
    ),
    format($$values (%L, 'other', now())$$, :seller), 'each piece says whose it is'
);
update escrow.orders set status = 'resolved_buyer'
where id = :'id';
select is(
    (select count(*) from escrow.list_evidence(:'id', :judge)),
    8::bigint,
    'the arbitrator may look at it after the ruling'
);
select is_empty(
    format('select from escrow.list_evidence(%L, %L) where ipfs_hash <> ''9''', :'other', :buyer),
    'each order has its own'
);

select * from finish();
rollback;
