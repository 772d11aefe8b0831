begin;
select plan(19);

\set bob '''0x00000000000000000000000000000000000000b1'''
\set eve '''0x00000000000000000000000000000000000000E1'''
\set admin '''0x00000000000000000000000000000000000000ad'''
insert into escrow.user_profiles (wallet, public_key) values (:bob, 'cHVi');

set local "request.claims" = '{"sub": "ad000000-0000-4000-8000-000000000000", "role": "admin"}';
set local role aqm_admin;
select results_eq(
    format($$select * from escrow.blacklist_wallet(%L, 'scam', 'community', %L)$$, :bob, :admin),
    format($$values (%L, 'scam', 'community', %L, now())$$, :bob, :admin), 'an administrator shuts somebody out'
);
select results_eq(
    format($$select * from escrow.blacklist_wallet(%L, repeat('r', 200))$$, :eve),
    format($$values (%L, repeat('r', 200), 'manual', null::text, now())$$, :eve),
    'also who never came, by hand and without saying who it was'
);
reset role;
select results_eq(
    'select wallet::text, reason::text, source::text, added_by::text from escrow.blacklist order by lower(wallet)',
    format(
        $$values (%L, 'scam', 'community', %L), (%L, repeat('r', 200), 'manual', null)$$, :bob, :admin, :eve
    ), 'both are in the blacklist'
);
select ok((select u.is_blacklisted from escrow.user_profiles as u), 'and the profile shows it at once');
select results_eq(
    'select action, actor, detail from auth.audit_logs order by id',
    format(
        $$values
        ('wallet.blacklisted', 'ad000000-0000-4000-8000-000000000000', '{"wallet": "%s", "source": "community"}'::jsonb),
        ('wallet.blacklisted', 'ad000000-0000-4000-8000-000000000000', '{"wallet": "%s", "source": "manual"}')$$,
        :bob, :eve
    ), 'the audit names the administrator of the token, and no reason, which may name people'
);
select throws_ok(
    format('select escrow.blacklist_wallet(%L, ''again'')', :bob), 'PT409', 'wallet is blacklisted already',
    'nobody is shut out twice'
);
insert into escrow.blacklist (wallet, reason) values ('0x00000000000000000000000000000000000000ce', 'scam');
select throws_ok(
    $$select escrow.blacklist_wallet('0x00000000000000000000000000000000000000Ce', 'again')$$, 'PT409',
    'wallet is blacklisted already', 'nor who stands there in lower case'
);
select throws_ok(
    format('select escrow.blacklist_wallet(%L, ''again'')', '0x' || upper(substr(:eve, 3))), 'PT409',
    'wallet is blacklisted already', 'or in capitals'
);
select
    throws_ok(
        format('select escrow.blacklist_wallet(%s)', bad.arguments), '22023', bad.message, bad.description
    )
from (
    values
    ('null, ''scam''', 'wallet must not be null', 'somebody must be named'),
    ('%L, null', 'reason must have 1 to 200 characters', 'and why'),
    ('%L, ''''', 'reason must have 1 to 200 characters', 'in words'),
    ('%L, repeat(''r'', 201)', 'reason must have 1 to 200 characters', 'that have an end'),
    ('%L, ''scam'', ''rumour''', 'source must be manual, community or tornado', 'a source is one of three'),
    ('%L, ''scam'', null', 'source must be manual, community or tornado', 'and is told')
) as raw (arguments, message, description)
cross join lateral (
    select
        raw.message,
        raw.description,
        format(raw.arguments, '0x00000000000000000000000000000000000000f1') as arguments
) as bad;
select is((select count(*) from escrow.blacklist), 3::bigint, 'what is refused changes nothing');
select is((select count(*) from auth.audit_logs), 2::bigint, 'nor is it in the audit');
set local role aqm_wallet;
select throws_ok(
    format('select escrow.blacklist_wallet(%L, ''revenge'')', :bob), '42501',
    'permission denied for function blacklist_wallet', 'a wallet may not'
);
set local role aqm_worker;
select throws_ok(
    format('select escrow.blacklist_wallet(%L, ''revenge'')', :bob), '42501',
    'permission denied for function blacklist_wallet', 'nor may a worker'
);
reset role;
select ok(
    escrow.is_blacklisted(:eve) and escrow.is_blacklisted(:bob), 'those who were shut out stay so'
);

select * from finish();
rollback;
