begin;
select plan(11);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob);
select
    t.session_id as session,
    decode(translate(t.refresh_token, '-_', '+/'), 'base64') as token
from auth.open_session(:bob, 'user', null, null, null) as t
\gset
update auth.sessions
set
    created_at = now() - interval '20 days', last_active = now() - interval '20 days',
    access_token_exp = now() - interval '19 days', expires_at = now() + interval '10 days';
select
    t.session_id as still,
    t.expires_in,
    decode(translate(t.refresh_token, '-_', '+/'), 'base64') as child,
    (t.access_token ->> 'iat')::numeric as iat
from auth.sessions as s, auth.rotate_token(s, :'token') as t
\gset

select is(:'still'::uuid, :'session'::uuid, 'a refresh stays in its session');
select isnt(substr(:'child'::bytea, 17), substr(:'token'::bytea, 17), 'it gives a new token');
select is(substr(:'child'::bytea, 1, 16), substr(:'token'::bytea, 1, 16), 'that belongs to the same family');
select is(octet_length(:'child'::bytea), 48, 'and has 256 bits of its own');
select is(:expires_in, 900, 'the new access token is good for 15 minutes');
select cmp_ok(:iat, '>', extract(epoch from now()), 'and was issued after whatever was waited for');
select results_eq(
    $$select refresh_token_hash, previous_token_hash, family_hash from auth.sessions$$,
    format(
        'values (sha256(%1$L::bytea), sha256(%2$L::bytea), sha256(substr(%2$L::bytea, 1, 16)))', :'child', :'token'
    ),
    'the new token is good, the one before is known'
);
select ok(
    (
        select
            s.expires_at between now() + interval '30 days' and now() + interval '30 days 1 minute'
            and s.last_active >= now()
        from auth.sessions as s
    ),
    'whoever comes back within 30 days stays logged in'
);
select is_empty(
    format(
        $$select 1 from auth.sessions as s
        where position(encode(substr(%L::bytea, 17), 'hex') in s::text) > 0
        or position(encode(substr(%L::bytea, 17), 'hex') in s::text) > 0$$,
        :'child', :'token'
    ),
    'neither is stored'
);
select is(
    (
        select crypto.pgp_sym_decrypt_bytea(s.successor_encrypted, encode(:'token'::bytea, 'hex'))
        from auth.sessions as s
    ), :'child'::bytea,
    'with the token before the new one can be read'
);
select throws_ok(
    format(
        $$select crypto.pgp_sym_decrypt_bytea(s.successor_encrypted, encode(%L::bytea, 'hex'))
        from auth.sessions as s$$,
        :'child'
    ), '39000', null, 'and with nothing else'
);

select * from finish();
rollback;
