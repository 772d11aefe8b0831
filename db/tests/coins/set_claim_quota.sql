begin;
select plan(20);

select results_eq(
    'select scope, coins, period, is_enabled from coins.claim_quota order by scope',
    $$values ('pair', 1000, interval '1 day', false), ('recipient', 10000, interval '1 day', false)$$,
    'a new database has quotas, and none holds'
);
select results_eq(
    $$select scope, coins, period, is_enabled from coins.set_claim_quota('pair', true)$$,
    $$values ('pair', 1000, interval '1 day', true)$$,
    'an operator who enables a quota keeps its numbers and is told the setting'
);
select results_eq(
    $$select scope, coins, period, is_enabled from coins.set_claim_quota('pair', true, 5)$$,
    $$values ('pair', 5, interval '1 day', true)$$,
    'the coins alone may be set'
);
select results_eq(
    $$select scope, coins, period, is_enabled from coins.set_claim_quota('pair', true, p_period => interval '1 hour')$$,
    $$values ('pair', 5, interval '1 hour', true)$$,
    'the period alone may be set'
);
select results_eq(
    $$select scope, coins, period, is_enabled from coins.set_claim_quota('recipient', false, 7, interval '1 minute')$$,
    $$values ('recipient', 7, interval '1 minute', false)$$,
    'a quota may be set without being enabled'
);
select results_eq(
    'select scope, coins, period, is_enabled, microseconds_a_coin from coins.claim_quota order by scope',
    $$values
    ('pair', 5, interval '1 hour', true, 720000000::bigint),
    ('recipient', 7, interval '1 minute', false, 8571428)$$,
    'a setting holds, and a coin never comes back later than the period says'
);

select throws_ok(format('select coins.set_claim_quota(%s)', bad.arguments), '22023', bad.message, bad.description)
from (
    values
    ($$'sender', true$$, 'scope must be pair or recipient', 'an unknown scope is refused'),
    ($$null, true$$, 'scope must be pair or recipient', 'a missing scope is refused'),
    ($$'pair', null$$, 'is_enabled must not be null', 'an operator must say whether the quota holds'),
    ($$'pair', true, 0$$, 'coins must be between 1 and 1000000', 'a quota of no coins is refused'),
    ($$'pair', true, 1000001$$, 'coins must be between 1 and 1000000', 'a quota of over a million is refused'),
    (
        $$'pair', true, 1, '0.999999 s'$$, 'period must be between 1 second and 366 days',
        'a period of less than a second is refused'
    ),
    (
        $$'pair', true, 1, '366 days 1 microsecond'$$, 'period must be between 1 second and 366 days',
        'a period of over 366 days is refused'
    ),
    ($$'pair', true, 1, '-1 day'$$, 'period must be between 1 second and 366 days', 'time does not run back')
) as bad (arguments, message, description);
select results_eq(
    'select scope, coins, period, is_enabled from coins.claim_quota order by scope',
    $$values ('pair', 5, interval '1 hour', true), ('recipient', 7, interval '1 minute', false)$$,
    'a refused setting changes nothing'
);

select lives_ok(
    $$select coins.set_claim_quota('pair', true, 1000000, '1 second')$$,
    'a million coins a second is the most'
);
select is(
    (
        select microseconds_a_coin from coins.claim_quota
        where scope = 'pair'
    ), 1::bigint,
    'and even then a coin takes some time to come back'
);
select lives_ok(
    $$select coins.set_claim_quota('pair', true, 1, '366 days')$$,
    'a coin in 366 days is the least'
);
set local role aqm_device;
select throws_ok(
    $$select coins.set_claim_quota('pair', false)$$,
    '42501', 'permission denied for function set_claim_quota',
    'a device can''t lift its quota'
);
set local role aqm_admin;
select throws_ok(
    $$select coins.set_claim_quota('pair', false)$$,
    '42501', 'permission denied for function set_claim_quota',
    'an administrator over HTTP can''t either'
);

select * from finish();
rollback;
