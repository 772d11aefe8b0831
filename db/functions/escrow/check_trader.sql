create or replace function escrow.check_trader(
    p_wallet text,
    p_field text
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if escrow.is_blacklisted(p_wallet) then
        raise exception using errcode = 'insufficient_privilege', message = format('%s is blacklisted', p_field),
            constraint = 'blacklisted';
    elsif not exists (select from escrow.user_profiles as u where u.wallet = p_wallet) then
        raise exception using errcode = 'invalid_parameter_value', message = format('%s has no profile', p_field);
    end if;
end
$$;

comment on function escrow.check_trader(text, text) is
'Refuses who may not trade. Asked by every step of the marketplace: a token outlives the day its owner was blacklisted.
p_wallet: who. p_field: JSON name of the field that names them.
Errors: 42501 (blacklisted) for a blacklisted wallet, 22023 for one without a profile; both name the field.';

revoke all on function escrow.check_trader(text, text) from public;
