create or replace function gateway.revoke_session(
    p_session_id uuid,
    p_expires_at timestamptz
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now constant timestamptz := clock_timestamp();
    -- A gateway lets tokens live a little longer, for clocks that differ.
    v_until constant timestamptz := p_expires_at + interval '5 minutes';
begin
    if v_until <= v_now then
        return;
    end if;
    insert into gateway.revocation as r (session_id, issued_until, expires_at)
    values (p_session_id, v_now, v_until)
    on conflict on constraint pk_revocation do update
    set issued_until = excluded.issued_until, expires_at = greatest(r.expires_at, excluded.expires_at);
    -- What has expired goes here and not by a job: revocations are rare, and each leaves at most one row.
    delete from gateway.revocation as r
    where r.ctid = any(array(
        select old.ctid
        from gateway.revocation as old
        where old.expires_at < v_now
        order by old.expires_at
        limit 100
        for update skip locked
    ));
    perform pg_notify('gateway', format(
        'revoke %s %s %s', p_session_id, extract(epoch from v_now), extract(epoch from v_until)
    ));
end
$$;

comment on function gateway.revoke_session(uuid, timestamptz) is
'Makes every gateway refuse the access tokens that a session was issued until now; those issued later are good.
p_session_id: claim sid of the tokens. p_expires_at: when the last of them expires by itself; five minutes later the revocation ends, and after that nothing is done.
Errors: 23502 for a null.';

revoke all on function gateway.revoke_session(uuid, timestamptz) from public;
grant execute on function gateway.revoke_session(uuid, timestamptz) to aqm_auth_owner;
