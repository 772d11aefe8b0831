create or replace function escrow.update_profile(
    p_wallet gateway.wallet,
    p_display_name text default null,
    p_public_key bytea default null
)
returns setof escrow.profile_view
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_display_name <> '' and (char_length(p_display_name) > 50 or not escrow.is_legible(p_display_name)) then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'display_name must have 1 to 50 characters, none invisible and not all blank, or be empty';
    elsif octet_length(p_public_key) <> 32 then
        raise exception using errcode = 'invalid_parameter_value', message = 'public_key_b64 must be 32 bytes';
    end if;
    perform from escrow.user_profiles as u where u.wallet = p_wallet for no key update;
    if not found then
        return;
    end if;
    perform escrow.check_trader(p_wallet, 'wallet');

    if num_nonnulls(p_display_name, p_public_key) > 0 then
        update escrow.user_profiles as u
        set
            display_name = case when p_display_name is null then u.display_name else nullif(p_display_name, '') end,
            public_key = coalesce(encode(p_public_key, 'base64'), u.public_key),
            updated_at = now()
        where u.wallet = p_wallet;
        perform escrow.bust_profiles();
    end if;
    return query select * from escrow.find_profile(p_wallet);
end
$$;

comment on function escrow.update_profile(gateway.wallet, text, bytea) is
'Changes what somebody of the marketplace tells of themselves; what is null stays as it is.
p_wallet: whom. p_display_name: 1 to 50 characters, none invisible and not all blank (escrow.is_legible()); empty: no name any more. p_public_key: NaCl public key for messages, 32 bytes; older messages stay encrypted for the one before.
Returns the profile; no row when there is none.
Errors: 22023 for a malformed argument, 42501 (blacklisted) for a blacklisted wallet.';

revoke all on function escrow.update_profile(gateway.wallet, text, bytea) from public;
grant execute on function escrow.update_profile(gateway.wallet, text, bytea) to aqm_wallet, aqm_admin;

select gateway.expose('PUT /v1/escrow/profile', 'escrow.update_profile', p_caller_argument => 'p_wallet');
