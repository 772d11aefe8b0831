begin;
select plan(1);

-- What gateways do with it: gateway/tests/test_cache.py.
select lives_ok('select escrow.bust_products()', 'a change of products may be told to all gateways');

select * from finish();
rollback;
