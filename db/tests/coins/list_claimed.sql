begin;
select plan(21);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''

-- 2026-01-01 00:00 UTC is 1767225600 seconds after 1970.
insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at
)
values
(:bob, 'b', 'BRONZE', '1', '', :alice, '2026-01-01 00:00:01Z'),
(:bob, 'a-1', 'GOLD', '2', '', :alice, '2026-01-01 00:00:01Z'),
(:bob, 'C', 'SILVER', '3', '', :bob, '2026-01-01 00:00:01Z'),
(:bob, 'later', 'GOLD', '4', '', :alice, '2026-01-01 00:00:01.000001Z'),
(:bob, 'earlier', 'GOLD', '5', '', :alice, '2026-01-01 00:00:00.123456Z'),
(:bob, 'unclaimed', 'GOLD', '6', '', null, null),
(:alice, 'of alice', 'GOLD', '7', '', :bob, '2026-01-01 00:00:01Z');

select results_eq(
    format('select * from coins.list_claimed(%L)', :bob),
    $$values
    ('earlier', 'GOLD', timestamptz '2026-01-01 00:00:00.123456Z', '1767225600123456-earlier'),
    ('C', 'SILVER', '2026-01-01 00:00:01Z', '1767225601000000-C'),
    ('a-1', 'GOLD', '2026-01-01 00:00:01Z', '1767225601000000-a-1'),
    ('b', 'BRONZE', '2026-01-01 00:00:01Z', '1767225601000000-b'),
    ('later', 'GOLD', '2026-01-01 00:00:01.000001Z', '1767225601000001-later')$$,
    'a device learns which of its coins went and when, first claimed first, and nothing of other coins or users'
);
select is_empty(
    $$select attname from pg_attribute
    where attrelid = 'coins.issued_coin'::regclass and attnum > 0
    and attname not in ('key_id', 'coin_category', 'claimed_at', 'cursor')$$,
    'to whom they went is never told'
);
select is_empty(
    'select * from coins.list_claimed(gen_random_uuid())', 'an unknown user has none'
);
select is_empty('select * from coins.list_claimed(null)', 'nobody has none');

select results_eq(
    format($$select key_id from coins.list_claimed(%L, '2026-01-01 00:00:01Z')$$, :bob),
    array['C', 'a-1', 'b', 'later'],
    'a device that asks since a time is told of the claims of that very moment, too'
);
select is_empty(
    format('select key_id from coins.list_claimed(%L, now())', :bob),
    'a device that asks since now is told of none'
);

-- Page by page: after each page the cursor of its last coin.
create function pg_temp.pages(p_size integer, p_since timestamptz default null)
returns text
language plpgsql
as $$
declare
    v_cursor text;
    v_page record;
    v_pages text;
begin
    for v_number in 1..10 loop
        select string_agg(c.key_id, ' ' order by c.place) as keys, (array_agg(c.cursor order by c.place desc))[1] as cursor
        into v_page
        from coins.list_claimed('b0b00000-0000-4000-8000-000000000000', p_since, v_cursor, p_size)
        with ordinality as c (key_id, coin_category, claimed_at, cursor, place);
        exit when v_page.keys is null;
        v_pages := concat_ws(' | ', v_pages, v_page.keys);
        v_cursor := v_page.cursor;
    end loop;
    return v_pages;
end
$$;
select is(
    pg_temp.pages(1), 'earlier | C | a-1 | b | later',
    'a device that goes on from cursor to cursor sees each coin once, though times are equal within a claim'
);
select is(pg_temp.pages(2), 'earlier C | a-1 b | later', 'whatever the size of its pages');
select is(pg_temp.pages(1000), 'earlier C a-1 b later', 'up to 1000');
select is(
    pg_temp.pages(2, '2026-01-01 00:00:01Z'), 'C a-1 | b later',
    'a cursor goes on within the time that was asked for'
);
select results_eq(
    format($$select key_id from coins.list_claimed(%L, '2026-01-01 00:00:01.000001Z', '0-x')$$, :bob),
    array['later'],
    'an old cursor brings back nothing from before that time'
);
select is_empty(
    format($$select key_id from coins.list_claimed(%L, null, '9999999999999999-x')$$, :bob),
    'a cursor far ahead has nothing after it'
);

select
    throws_ok(
        format('select * from coins.list_claimed(%L, null, %s)', :bob, bad.arguments),
        '22023', bad.message, bad.description
    )
from (
    values
    ($$''$$, 'cursor is none that was given out', 'an empty cursor is refused'),
    ($$'1767225601000000'$$, 'cursor is none that was given out', 'a cursor without a key is refused'),
    ($$'-1-k'$$, 'cursor is none that was given out', 'a cursor before 1970 is refused'),
    ($$'17672256010000000-k'$$, 'cursor is none that was given out', 'a cursor with too many digits is refused'),
    ($$null, 0$$, 'limit must be between 1 and 1000', 'a page of no coins is refused'),
    ($$null, 1001$$, 'limit must be between 1 and 1000', 'a page of 1001 coins is refused'),
    ($$null, null$$, 'limit must be between 1 and 1000', 'a page without a size is refused')
) as bad (arguments, message, description);

set local role aqm_device;
select lives_ok(format('select * from coins.list_claimed(%L)', :bob), 'a device may ask');
set local role aqm_anon;
select throws_ok(
    format('select * from coins.list_claimed(%L)', :bob), '42501', 'permission denied for function list_claimed',
    'nobody asks without a token'
);

select * from finish();
rollback;
