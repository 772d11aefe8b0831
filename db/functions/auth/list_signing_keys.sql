create or replace function auth.list_signing_keys()
returns setof auth.jwk
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'OKP', 'Ed25519', translate(encode(sk.public_key, 'base64'), '+/=', '-_'), sk.kid, 'sig', 'EdDSA'
    from auth.signing_keys as sk
    where sk.valid_until is null or sk.valid_until > now()
    order by sk.valid_from desc, sk.kid;
end
$$;

comment on function auth.list_signing_keys() is
'Lists the public keys with which access tokens can be checked, as a JSON Web Key Set has them (RFC 7517).
Returns a row a key, the newest first.
Errors: none.';

revoke all on function auth.list_signing_keys() from public;
grant execute on function auth.list_signing_keys() to aqm_anon, aqm_gateway;

select gateway.expose('GET /.well-known/jwks.json', 'auth.list_signing_keys', 'keys');
