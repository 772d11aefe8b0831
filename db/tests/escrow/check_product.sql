begin;
select plan(22);

select lives_ok('select escrow.check_product(null, null, null, null, null)', 'what is not told is not refused');
select
    lives_ok(
        format('select escrow.check_product(%s)', good.arguments), good.description
    )
from (
    values
    ($$'T', '', 1, 0, '0x' || repeat('0', 64)$$, 'a product may be as little as this'),
    (
        $$repeat('ü', 100), repeat('ü', 500), 999999999999.999999, 1000000, '0x' || repeat('aF', 32)$$,
        'or as much, counted in characters'
    ),
    ($$'T', 'D', 1.500000000, 1, null$$, 'zeros at the end are no decimals')
) as good (arguments, description);
select
    throws_ok(
        format('select escrow.check_product(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    (
        $$'', null, null, null, null$$, 'title_preview must have 1 to 100 characters, none invisible and not all blank',
        'a title is not empty'
    ),
    (
        $$E' \t\n', null, null, null, null$$,
        'title_preview must have 1 to 100 characters, none invisible and not all blank', 'nor blank'
    ),
    (
        $$repeat('x', 101), null, null, null, null$$,
        'title_preview must have 1 to 100 characters, none invisible and not all blank', 'nor too long'
    ),
    (
        $$null, repeat('x', 501), null, null, null$$, 'description_preview must have at most 500 characters',
        'a description is not too long'
    ),
    ($$null, null, null, -1, null$$, 'stock must be between 0 and 1000000', 'stock is not below zero'),
    ($$null, null, null, 1000001, null$$, 'stock must be between 0 and 1000000', 'and somebody must have it'),
    ($$null, null, null, null, ''$$, 'product_hash must be 0x and 64 hex digits', 'a hash is not empty'),
    (
        $$null, null, null, null, repeat('a', 66)$$, 'product_hash must be 0x and 64 hex digits', 'it begins with 0x'
    ),
    (
        $$null, null, null, null, '0x' || repeat('a', 63)$$, 'product_hash must be 0x and 64 hex digits',
        'it is not too short'
    ),
    (
        $$null, null, null, null, '0x' || repeat('a', 65)$$, 'product_hash must be 0x and 64 hex digits',
        'nor too long'
    ),
    (
        $$null, null, null, null, '0x' || repeat('a', 64) || E'\n'$$, 'product_hash must be 0x and 64 hex digits',
        'nor does a line follow'
    )
) as bad (arguments, message, description);
select
    throws_ok(
        format('select escrow.check_product(null, null, %s, null, null)', bad.price), '22023',
        'price_usdt must be at least 1 and below 1000000000000, with at most 6 decimals', bad.description
    )
from (
    values
    ('0.999999', 'a price is not below 1'),
    ('-1', 'nor negative'),
    ('1000000000000', 'nor more than can be stored'),
    ('1.0000001', 'a price is never rounded'),
    ($$'NaN'$$, 'a price is a number'),
    ($$'Infinity'$$, 'and a finite one')
) as bad (price, description);
select is(
    (
        select p.provolatile
        from pg_proc as p
        where p.oid = 'escrow.check_product(text, text, numeric, integer, text)'::regprocedure
    ), 'i', 'the check looks at nothing but its arguments'
);

select * from finish();
rollback;
