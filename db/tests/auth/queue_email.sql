begin;
select plan(9);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
select lives_ok(
    format('select auth.queue_email(%L, ''welcome'', ''{"language": "hi"}'')', :alice),
    'an email without a secret needs no keys'
);
select throws_ok(
    format('select auth.queue_email(%L, ''welcome'', p_secret => ''token'')', :alice), 'PT503',
    'the encryption keys are missing', 'one with a secret does'
);
select throws_ok(
    format('select auth.queue_email(%L, ''Welcome!'')', :alice), '23514', null, 'a template has a plain name'
);
do $$ begin
    perform set_config('aqm.encryption_keys', format('1:%s,2:%s', repeat('e1', 32), repeat('e2', 32)), true);
    perform set_config('aqm.index_keys', format('1:%s,2:%s', repeat('11', 32), repeat('22', 32)), true);
end $$;
select lives_ok(
    format('select auth.queue_email(%L, ''email_check'', p_secret => ''token'')', :alice), 'a secret may go with it'
);
select results_eq(
    'select user_id, template, template_data, status::text, attempts from auth.email_events order by id',
    format(
        $$values (%L::uuid, 'welcome', '{"language": "hi"}'::jsonb, 'queued', 0),
        (%1$L, 'email_check', '{}', 'queued', 0)$$,
        :alice
    ),
    'both wait to be sent'
);
select results_eq(
    'select encryption_version, auth.decrypt_text(secret_encrypted, encryption_version)
    from auth.email_events order by id',
    $$values (null::integer, null::text), (1, 'token')$$, 'the secret is encrypted'
);
select lives_ok(
    format('select auth.queue_email(%L, ''email_changed'', p_email => ''alice@example.org'')', :alice),
    'one may go to an address of before'
);
select results_eq(
    $$select auth.decrypt_text(secret_encrypted, encryption_version), has_own_address
    from auth.email_events order by id$$,
    $$values (null::text, false), ('token', false), ('alice@example.org', true)$$, 'which is encrypted as well'
);
set local role aqm_admin;
select throws_ok(
    format('select auth.queue_email(%L, ''welcome'')', :alice), '42501', 'permission denied for function queue_email',
    'what is sent is for the functions to say'
);

select * from finish();
rollback;
