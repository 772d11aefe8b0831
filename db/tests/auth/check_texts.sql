begin;
select plan(10);

select lives_ok('select auth.check_texts(null, null, null)', 'a client need not tell of itself');
select lives_ok(
    $$select auth.check_texts(repeat('n', 200), repeat('t', 50), repeat('f', 200))$$,
    'a client may tell so much'
);
select lives_ok($$select auth.check_texts('n', 't', 'f')$$, 'or as little');
select throws_ok(format('select auth.check_texts(%s)', bad.arguments), '22023', bad.message, bad.description)
from (
    values
    ($$'', null, null$$, 'device_name must have between 1 and 200 bytes', 'a device has a name'),
    ($$repeat('n', 201), null, null$$, 'device_name must have between 1 and 200 bytes', 'a long name is refused'),
    ($$repeat('é', 101), null, null$$, 'device_name must have between 1 and 200 bytes', 'bytes are counted'),
    ($$null, '', null$$, 'device_type must have between 1 and 50 bytes', 'an empty type is refused'),
    ($$null, repeat('t', 51), null$$, 'device_type must have between 1 and 50 bytes', 'a long type is refused'),
    ($$null, null, ''$$, 'browser_fingerprint must have between 1 and 200 bytes', 'an empty fingerprint is refused'),
    (
        $$null, null, repeat('f', 201)$$, 'browser_fingerprint must have between 1 and 200 bytes',
        'a long fingerprint is refused'
    )
) as bad (arguments, message, description);

select * from finish();
rollback;
