create or replace function escrow.sign_in(
    p_signed gateway.signed_message,
    p_public_key bytea default null
)
returns setof escrow.wallet_token
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet constant text := p_signed.signer;
    v_public_key text;
    v_is_new boolean := false;
begin
    -- Of two at once the second waits here for the first, and then finds nothing.
    delete from escrow.sign_in_nonce as n
    where
        n.nonce = substring(p_signed.message from '\nNonce: ([0-9a-f]+)\n')
        and n.wallet = v_wallet
        and n.expires_at > now()
        and p_signed.message = escrow.sign_in_message(n.wallet, n.nonce, n.expires_at);
    if not found then
        raise exception using errcode = 'invalid_authorization_specification',
            message = 'the signature is not of a text that this wallet was given to sign, or no longer';
    end if;
    -- What is refused from here on leaves the nonce good, as a RAISE undoes its use: there is nothing to guess any more,
    -- and who forgot the key need not sign again.
    if escrow.is_blacklisted(v_wallet) then
        raise exception using errcode = 'insufficient_privilege', message = 'signed is of a wallet that is blacklisted',
            constraint = 'blacklisted';
    elsif octet_length(p_public_key) <> 32 then
        raise exception using errcode = 'invalid_parameter_value', message = 'public_key_b64 must be 32 bytes';
    elsif p_public_key is not null then
        insert into escrow.user_profiles (wallet, public_key)
        values (v_wallet, encode(p_public_key, 'base64'))
        on conflict on constraint user_profiles_pkey do nothing;
        v_is_new := found;
    end if;

    select u.public_key into v_public_key from escrow.user_profiles as u where u.wallet = v_wallet;
    if not found then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'public_key_b64 must be sent at the first sign-in';
    elsif v_public_key <> encode(p_public_key, 'base64') then
        -- Not just ignored: others would go on encrypting for a key that this client does not have.
        raise exception using errcode = 'PT409', constraint = 'public_key',
            message = 'public_key_b64 is not the profile''s; sign in without it, then change it with PUT /v1/escrow/profile';
    end if;
    if v_is_new then
        perform escrow.sync_arbitrator(v_wallet);
    end if;
    return query
    select
        jsonb_build_object(
            'sub', v_wallet,
            'role', 'wallet',
            'iat', extract(epoch from now()),
            'exp', ceil(extract(epoch from now() + interval '1 hour'))
        )::gateway.token_claims,
        'Bearer', 3600, v_wallet, v_is_new;
end
$$;

comment on function escrow.sign_in(gateway.signed_message, bytea) is
'Signs a wallet in that has signed the text of escrow.make_nonce(); the first time it gets a profile.
p_signed: the text and who signed it. p_public_key: NaCl public key for messages, 32 bytes; needed the first time, later it must be the profile''s or null.
Returns an access token for an hour. The text is good once, and again after a refusal other than 28000.
Errors: 28000 for a text that was not given to this wallet, has expired or was used; 42501 (blacklisted) for a blacklisted wallet; 22023 for a missing or malformed key; PT409 (public_key) for another key than the profile''s.';

revoke all on function escrow.sign_in(gateway.signed_message, bytea) from public;
grant execute on function escrow.sign_in(gateway.signed_message, bytea) to aqm_anon;

select gateway.expose('POST /v1/escrow/auth/verify', 'escrow.sign_in');
