create or replace function auth.lockout_of_address(
    p_address inet
)
returns interval
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_refused bigint;
    v_last timestamptz;
begin
    select count(*), max(recent.created_at) into v_refused, v_last
    from (
        select la.created_at
        from auth.login_attempts as la
        where la.address = auth.address_block(p_address) and not la.is_success and la.created_at > now() - interval '1 hour'
        order by la.created_at desc
        limit 500
    ) as recent;
    if v_refused < 50 then
        return interval '0 seconds';
    end if;
    return v_last + least(interval '1 hour', interval '30 seconds' * 2 ^ least((v_refused - 50) / 10, 10)) - now();
end
$$;

comment on function auth.lockout_of_address(inet) is
'Says for how long a network address is locked: after 50 refused logins within an hour, whosever, for 30 seconds, twice as long with each ten more, at most an hour. Many people may share an address, so it takes more than for an account.
p_address: null: nobody told, and nothing is locked.
Returns the time; not above zero: it is open.
Errors: none.';

revoke all on function auth.lockout_of_address(inet) from public;
