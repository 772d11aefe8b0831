begin;
select plan(27);

\set bob '''0x00000000000000000000000000000000000000b1'''
\set eve '''0x00000000000000000000000000000000000000e1'''
\set refused '''the signature is not of a text that this wallet was given to sign, or no longer'''
insert into escrow.blacklist (wallet, reason) values (:eve, 'scam');
insert into escrow.sign_in_nonce (nonce, wallet, expires_at)
select
    n.nonce,
    n.wallet,
    date_trunc('second', now()) + n.lasts as expires_at
from (
    values
    ('aa01', :bob, interval '1 minute'),
    ('aa02', :bob, '1 minute'),
    ('aa03', :bob, '1 minute'),
    ('aa04', :bob, '1 minute'),
    ('aa05', :bob, '1 minute'), ('bb01', :bob, '0'), ('bb02', :bob, '-1 second'), ('cc01', :eve, '1 minute')
) as n (nonce, wallet, lasts);
-- What a wallet sends that signs the text of a nonce as it is, or changed.
create function pg_temp.signed(p_nonce text, p_signer text default null, p_from text default '', p_to text default '')
returns gateway.signed_message language sql as $$
    select row(
        replace(escrow.sign_in_message(n.wallet, n.nonce, n.expires_at), p_from, p_to), coalesce(p_signer, n.wallet)
    )::gateway.signed_message
    from escrow.sign_in_nonce as n where n.nonce = p_nonce
$$;
create function pg_temp.key(p_digit text) returns bytea language sql as $$select decode(repeat(p_digit, 64), 'hex')$$;

select
    throws_ok(
        format('select escrow.sign_in(%s, pg_temp.key(''a''))', bad.signed), '28000', :refused, bad.description
    )
from (
    values
    (format('pg_temp.signed(''aa01'', %L)', :eve), 'nobody signs in with the text of somebody else'),
    (
        format('pg_temp.signed(''aa01'', %L, %L, %L)', :eve, :bob, :eve),
        'nor with one that was made to look like their own'
    ),
    ($$pg_temp.signed('aa01', null, 'no transaction', 'a transaction')$$, 'the text is the one that was handed out'),
    ($$pg_temp.signed('aa01', null, 'Ethereum', ' Ethereum')$$, 'to the letter'),
    ($$pg_temp.signed('aa01', null, 'Nonce: aa01', 'Nonce: aa99')$$, 'a nonce that was not handed out is refused'),
    ($$pg_temp.signed('bb01')$$, 'a text is not good at its last second any more'),
    ($$pg_temp.signed('bb02')$$, 'nor after it'),
    ('null', 'nothing signs nobody in'),
    (format('row(null, %L)::gateway.signed_message', :bob), 'nor does no text'),
    ($$row('Nonce: aa01', null)::gateway.signed_message$$, 'nor does no signer'),
    (format('row('''', %L)::gateway.signed_message', :bob), 'nor does an empty text')
) as bad (signed, description);
select is(
    (
        select count(*) from escrow.sign_in_nonce as n
        where n.nonce = 'aa01'
    ), 1::bigint,
    'nobody can use up the nonce of somebody else'
);
select throws_ok(
    $$select escrow.sign_in(pg_temp.signed('cc01'), pg_temp.key('a'))$$, '42501',
    'signed is of a wallet that is blacklisted', 'a blacklisted wallet does not sign in'
);
select is_empty('select 1 from escrow.user_profiles', 'and a refusal makes no profile');
select throws_ok(
    $$select escrow.sign_in(pg_temp.signed('aa01'))$$, '22023', 'public_key_b64 must be sent at the first sign-in',
    'the first time a key is needed'
);
select
    throws_ok(
        format($$select escrow.sign_in(pg_temp.signed('aa01'), decode(%L, 'hex'))$$, repeat('aa', bad.bytes)), '22023',
        'public_key_b64 must be 32 bytes', bad.description
    )
from (
    values (0, 'an empty key is none'), (31, 'a key is not too short'), (33, 'nor too long')
) as bad (bytes, description);

create temporary table given as select s.*
from escrow.sign_in(pg_temp.signed('aa01'), pg_temp.key('a')) as s;
select results_eq(
    'select token_type, expires_in, wallet, is_new from given', format($$values ('Bearer', 3600, %L, true)$$, :bob),
    'the first sign-in makes a profile, even after refusals'
);
select results_eq(
    'select access_token::jsonb from given',
    format(
        $$values (jsonb_build_object('sub', %L, 'role', 'wallet', 'iat', extract(epoch from now()),
        'exp', ceil(extract(epoch from now()) + 3600)))$$, :bob
    ),
    'the token is the wallet''s, for an hour'
);
select results_eq(
    'select wallet::text, public_key::text from escrow.user_profiles',
    format($$values (%L, encode(pg_temp.key('a'), 'base64'))$$, :bob),
    'the profile has the key'
);
select throws_ok(
    format(
        'select escrow.sign_in(row(escrow.sign_in_message(%L, ''aa01'', %L), %L)::gateway.signed_message)',
        :bob, date_trunc('second', now()) + interval '1 minute', :bob
    ), '28000', :refused, 'a text is good once'
);
select results_eq(
    $$select is_new from escrow.sign_in(pg_temp.signed('aa02'))$$, 'values (false)', 'later no key is needed'
);
select results_eq(
    $$select is_new from escrow.sign_in(pg_temp.signed('aa03'), pg_temp.key('a'))$$, 'values (false)',
    'but the same one may be sent'
);
select throws_ok(
    $$select escrow.sign_in(pg_temp.signed('aa04'), pg_temp.key('b'))$$, 'PT409',
    'public_key_b64 is not the profile''s; sign in without it, then change it with PUT /v1/escrow/profile',
    'another key is not silently ignored'
);
set local role aqm_anon;
select lives_ok(
    format(
        'select escrow.sign_in(row(m.message, %L)::gateway.signed_message) from escrow.make_nonce(%L) as m', :bob, :bob
    ), 'anybody may sign in'
);
set local role aqm_wallet;
select throws_ok(
    'select escrow.sign_in(null)', '42501', 'permission denied for function sign_in',
    'who is signed in has no need of it'
);

select * from finish();
rollback;
