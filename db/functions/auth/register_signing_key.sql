create or replace function auth.register_signing_key(
    p_kid text,
    p_public_key bytea
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_jwk text;
begin
    if octet_length(p_public_key) is distinct from 32 then
        raise exception using errcode = 'invalid_parameter_value', message = 'public_key must be an Ed25519 key';
    end if;
    v_jwk := format(
        '{"crv":"Ed25519","kty":"OKP","x":"%s"}', translate(encode(p_public_key, 'base64'), '+/=', '-_')
    );
    -- Worked out, not believed: under another key's name this one would pass for it.
    if p_kid is distinct from translate(encode(sha256(v_jwk::bytea), 'base64'), '+/=', '-_') then
        raise exception using errcode = 'invalid_parameter_value', message = 'kid must be the thumbprint of public_key';
    end if;
    insert into auth.signing_keys as sk (kid, public_key)
    values (p_kid, p_public_key)
    on conflict on constraint pk_signing_keys do nothing;
    if found then
        perform auth.write_audit('signing_key.added', p_detail => jsonb_build_object('kid', p_kid));
        perform pg_notify('gateway', 'keys');
    end if;
    return found;
end
$$;

comment on function auth.register_signing_key(text, bytea) is
'Makes a signing key known; each gateway does so at its start with the public half of its own.
p_kid: its thumbprint (RFC 7638), base64url. p_public_key: Ed25519, 32 bytes.
Returns whether it is new.
Errors: 22023 for a malformed key or another one''s thumbprint.';

revoke all on function auth.register_signing_key(text, bytea) from public;
grant execute on function auth.register_signing_key(text, bytea) to aqm_gateway;
