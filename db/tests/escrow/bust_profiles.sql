begin;
select plan(1);

-- What gateways do with it: gateway/tests/test_cache.py and test_wallets.py.
select lives_ok('select escrow.bust_profiles()', 'a change of people may be told to all gateways');

select * from finish();
rollback;
