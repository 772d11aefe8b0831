begin;
select plan(12);

\set one '''00000000-0000-4000-8000-000000000001'''
\set two '''00000000-0000-4000-8000-000000000002'''
set local role aqm_auth_owner;
select lives_ok(
    format($$select gateway.revoke_session(%L, now() + interval '15 minutes')$$, :one),
    'a session''s tokens are revoked'
);
reset role;
select results_eq(
    $$select session_id, issued_until between now() and clock_timestamp(), expires_at from gateway.revocation$$,
    format($$values (%L::uuid, true, now() + interval '20 minutes')$$, :one),
    'those that were issued until now, until they have expired by any gateway''s clock'
);
select issued_until as before
from gateway.revocation
\gset
select lives_ok(
    format($$select gateway.revoke_session(%L, now() + interval '5 minutes')$$, :one),
    'they may be revoked again'
);
select results_eq(
    format($$select session_id, issued_until > %L, expires_at from gateway.revocation$$, :'before'),
    format($$values (%L::uuid, true, now() + interval '20 minutes')$$, :one),
    'with those issued meanwhile, and none is forgotten sooner than was said before'
);
select lives_ok(
    format($$select gateway.revoke_session(%L, now() - interval '4 minutes')$$, :two),
    'tokens that have just expired are revoked: a gateway whose clock is late would take them'
);
select lives_ok(
    $$select gateway.revoke_session(gen_random_uuid(), now() - interval '5 minutes')$$,
    'those that expired before need not be'
);
select set_eq(
    'select session_id from gateway.revocation', array[:one, :two]::uuid[], 'and are not kept in mind'
);
update gateway.revocation
set expires_at = now() - interval '1 second'
where session_id = :one;
select lives_ok(
    format($$select gateway.revoke_session(%L, now() + interval '15 minutes')$$, :two), 'the next revocation'
);
select set_eq(
    'select session_id from gateway.revocation', array[:two]::uuid[], 'clears away what has expired meanwhile'
);
select throws_ok(format('select gateway.revoke_session(%s)', bad.arguments), '23502', null, bad.description)
from (
    values
    ($$null, now() + interval '1 minute'$$, 'a session is needed'),
    ('gen_random_uuid(), null', 'and a time')
) as bad (arguments, description);
set local role aqm_admin;
select throws_ok(
    format($$select gateway.revoke_session(%L, now())$$, :one), '42501', null,
    'over HTTP sessions are ended, not tokens revoked'
);

select * from finish();
rollback;
