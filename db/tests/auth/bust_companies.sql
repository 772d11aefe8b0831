begin;
select plan(1);

-- What gateways do with it: gateway/tests/test_cache.py.
select lives_ok('select auth.bust_companies()', 'a change of companies may be told to all gateways');

select * from finish();
rollback;
