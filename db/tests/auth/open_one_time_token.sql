begin;
select plan(11);

\set alice '''a11ce000-0000-4000-8000-000000000000'''
\set bob '''b0b00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:alice), (:bob);

create temporary table token as
select auth.open_one_time_token(:alice, 'password_reset', interval '1 hour') as text;
select matches(token.text, '^[A-Za-z0-9_-]{43}$', 'a token is 32 bytes in base64url')
from token;
select results_eq(
    'select token_hash, user_id, purpose, expires_at - now(), used_at from auth.one_time_tokens',
    format(
        $$select sha256(decode(translate(text, '-_', '+/') || '=', 'base64')), %L::uuid, 'password_reset',
            interval '1 hour', null::timestamptz
        from token$$, :alice
    ),
    'of which the database has the hash alone'
);
select isnt(auth.open_one_time_token(:alice, 'password_reset', interval '1 hour'), token.text, 'no two are the same')
from token;
select isnt(
    auth.open_one_time_token(:alice, 'password_reset', interval '1 hour'), null, 'a person may have three that are open'
);
select is(auth.open_one_time_token(:alice, 'password_reset', interval '1 hour'), null, 'and no more');
select isnt(auth.open_one_time_token(:alice, 'email_check', interval '1 day'), null, 'but another for something else');
select isnt(auth.open_one_time_token(:bob, 'password_reset', interval '1 hour'), null, 'and so may others');

update auth.one_time_tokens set used_at = now()
where token_hash = (
    select ott.token_hash
    from auth.one_time_tokens as ott
    where ott.user_id = :alice and ott.purpose = 'password_reset'
    order by ott.token_hash
    limit 1
);
select
    isnt(
        auth.open_one_time_token(:alice, 'password_reset', interval '1 hour'), null, 'one that was used does not count'
    );
update auth.one_time_tokens set expires_at = now()
where token_hash = (
    select ott.token_hash
    from auth.one_time_tokens as ott
    where ott.user_id = :alice and ott.purpose = 'password_reset' and ott.used_at is null
    order by ott.token_hash
    limit 1
);
select isnt(auth.open_one_time_token(:alice, 'password_reset', interval '1 hour'), null, 'nor one that has expired');
select throws_ok(
    format('select auth.open_one_time_token(%L, ''other'', interval ''1 hour'')', :bob), '23514', null,
    'a token is for something'
);
set local role aqm_admin;
select throws_ok(
    format('select auth.open_one_time_token(%L, ''email_check'', interval ''1 hour'')', :bob), '42501',
    'permission denied for function open_one_time_token', 'nobody sees a token but in the email'
);

select * from finish();
rollback;
