create or replace function auth.check_lockout(
    p_hashes bytea[]
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wait interval;
begin
    v_wait := greatest(
        auth.lockout_of_account(p_hashes), auth.lockout_of_address(auth.caller_address()), interval '0 seconds'
    );
    if v_wait > interval '0 seconds' then
        raise exception using errcode = 'PT429', message = 'too many refused logins: try again later',
            detail = format('Retry-After: %s', ceil(extract(epoch from v_wait))), constraint = 'lockout';
    end if;
end
$$;

comment on function auth.check_lockout(bytea[]) is
'Refuses a login after too many that were refused.
p_hashes: the keyed hashes of the account''s address.
Errors: PT429, with the seconds to wait.';

revoke all on function auth.check_lockout(bytea[]) from public;
