begin;
select plan(7);

select lives_ok($$select auth.check_object('config', '{"a": [1]}')$$, 'an object is fine');
select lives_ok($$select auth.check_object('config', null)$$, 'null is');
select
    throws_ok(
        format('select auth.check_object(''config'', %L)', bad.value), '22023',
        'config must be a JSON object of at most 20000 bytes', bad.description
    )
from (
    values
    ('[]', 'a list is none'),
    ('"text"', 'nor is a text'),
    ('null', 'nor is JSON''s null'),
    (format('{"a": "%s"}', repeat('x', 20000)), 'a large one is refused')
) as bad (value, description);
select lives_ok(
    format('select auth.check_object(''config'', %L)', format('{"a": "%s"}', repeat('x', 19991))),
    'one just small enough is not'
);

select * from finish();
rollback;
