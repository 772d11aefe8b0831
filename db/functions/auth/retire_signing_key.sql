create or replace function auth.retire_signing_key(
    p_kid text,
    p_after interval default '20 minutes',
    out valid_until timestamptz
)
returns timestamptz
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if (p_after between interval '0 seconds' and interval '366 days') is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'after must be between 0 and 366 days';
    end if;
    -- The earlier time stays: whoever retires a stolen key twice must not bring it back.
    update auth.signing_keys as sk set valid_until = least(sk.valid_until, now() + p_after)
    where sk.kid = p_kid
    returning sk.valid_until into valid_until;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such signing key';
    end if;
    perform auth.write_audit('signing_key.retired', p_detail => jsonb_build_object('kid', p_kid, 'until', valid_until));
    perform pg_notify('gateway', 'keys');
end
$$;

comment on function auth.retire_signing_key(text, interval) is
'Ends the use of a signing key. Not before no gateway signs with it: until then its tokens are needed.
p_kid: which. p_after: when its tokens are refused; the default lets those that are out expire. For a key that was stolen: 0.
Returns the time; an earlier one that was said before stays.
Errors: 22023 for a time out of range, PT404 for an unknown key.';

revoke all on function auth.retire_signing_key(text, interval) from public;
