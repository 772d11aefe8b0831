begin;
select plan(11);

\set bob '''b0b00000-0000-4000-8000-000000000000'''

select is(
    coins.add_spent_month('2031-12-31'), true,
    'the partition of a month is made'
);
select is(
    coins.add_spent_month('2031-12-31'), false,
    'a purge that asks for it again is told that it was there'
);
select is(
    coins.add_spent_month('2031-12-01'), false,
    'any day of the month means the same partition'
);
select is(
    coins.add_spent_month('2032-01-01'), true,
    'the first day of the next month does not'
);
select is(
    coins.add_spent_month('2032-02-29'), true,
    'a leap day has its month'
);
select set_eq(
    $$select c.relname::text, pg_get_expr(c.relpartbound, c.oid)
    from pg_inherits as i
    inner join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = 'coins.spent_coin'::regclass and c.relname >= 'spent_coin_2031'$$,
    $$values
    ('spent_coin_2031_12', 'FOR VALUES FROM (''2031-12-01'') TO (''2032-01-01'')'),
    ('spent_coin_2032_01', 'FOR VALUES FROM (''2032-01-01'') TO (''2032-02-01'')'),
    ('spent_coin_2032_02', 'FOR VALUES FROM (''2032-02-01'') TO (''2032-03-01'')')$$,
    'each partition holds its month, the whole month and nothing else'
);

insert into coins.spent_coin (user_id, month, digests)
values (:bob, '2031-12-01', '{1}'), (:bob, '2032-01-01', '{2}');
select is(
    (
        select tableoid::regclass from coins.spent_coin
        where month = '2032-01-01'
    ), 'coins.spent_coin_2032_01'::regclass,
    'spent coins go to the partition of their month'
);
select throws_ok(
    format($$insert into coins.spent_coin (user_id, month, digests) values (%L, '2031-12-01', '{3}')$$, :bob),
    '23505', null,
    'a user has one row a month'
);
select throws_ok(
    format($$insert into coins.spent_coin (user_id, month, digests) values (%L, '2031-11-01', '{3}')$$, :bob),
    '23514', null,
    'a month that was not asked for has no partition'
);
select is(
    (
        select attstorage from pg_attribute
        where attrelid = 'coins.spent_coin_2031_12'::regclass and attname = 'digests'
    ), 'e',
    'digests are not compressed: random numbers don''t get smaller'
);
set local role aqm_device;
select throws_ok(
    $$select coins.add_spent_month('2040-01-01')$$,
    '42501', 'permission denied for function add_spent_month',
    'a device makes no partitions'
);

select * from finish();
rollback;
