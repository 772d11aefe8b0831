create or replace function auth.lockout_of_account(
    p_hashes bytea[]
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
    -- In a row: a login that succeeds wipes the slate.
    select count(*), max(recent.created_at) into v_refused, v_last
    from (
        select la.created_at, bool_or(la.is_success) over (order by la.created_at desc, la.id desc) as is_wiped
        from auth.login_attempts as la
        where la.email_hash = any(p_hashes) and la.created_at > now() - interval '1 day'
        order by la.created_at desc, la.id desc
        limit 100
    ) as recent
    where not recent.is_wiped;
    if v_refused < 5 then
        return interval '0 seconds';
    end if;
    return v_last + least(interval '1 hour', interval '30 seconds' * 2 ^ least(v_refused - 5, 10)) - now();
end
$$;

comment on function auth.lockout_of_account(bytea[]) is
'Says for how long an account is locked: after 5 refused logins in a row for 30 seconds, twice as long with each further one, at most an hour.
p_hashes: the keyed hashes of its address.
Returns the time; not above zero: it is open.
Errors: none.';

revoke all on function auth.lockout_of_account(bytea[]) from public;
