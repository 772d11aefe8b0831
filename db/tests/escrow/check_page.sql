begin;
select plan(5);

select lives_ok('select escrow.check_page(1), escrow.check_page(100)', 'a page has 1 to 100 rows');
select
    throws_ok(
        format('select escrow.check_page(%L)', bad.rows), '22023', 'limit must be between 1 and 100',
        format('no page has %s rows', coalesce(bad.rows::text, 'unknown'))
    )
from (values (0), (-1), (101), (null)) as bad (rows);

select * from finish();
rollback;
