create or replace function auth.seal_audit(
    p_limit integer default 5000,
    p_before timestamptz default date_trunc('minute', now()),
    out sealed bigint
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_oldest timestamptz;
    v_month date;
    v_row auth.audit_logs;
    v_head auth.audit_heads;
begin
    if (p_limit >= 1) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    end if;
    sealed := 0;
    -- A chain has one end: whoever finds another at work leaves it to them.
    if not pg_try_advisory_xact_lock(hashtextextended('auth.seal_audit', 0)) then
        return;
    end if;

    select min(al.created_at) into v_oldest
    from auth.audit_logs as al
    where al.chain_position is null and al.created_at < p_before;
    if v_oldest is null then
        -- Here and not where they change: what goes outside must be committed.
        perform auth.log_audit_heads();
        return;
    end if;

    v_month := date_trunc('month', v_oldest at time zone 'UTC')::date;
    select ah.* into v_head from auth.audit_heads as ah where ah.month = v_month;
    v_head.rows_sealed := coalesce(v_head.rows_sealed, 0);
    for v_row in
        select al.*
        from auth.audit_logs as al
        where
            al.chain_position is null and al.created_at < p_before
            and al.created_at >= auth.month_start(v_month)
            and al.created_at < auth.month_start((v_month + interval '1 month')::date)
        order by al.created_at, al.id
        limit p_limit
    loop
        v_head.rows_sealed := v_head.rows_sealed + 1;
        v_head.chain_hash := auth.chain_hash(v_head.chain_hash, v_row, v_head.rows_sealed);
        update auth.audit_logs as al set chain_position = v_head.rows_sealed, chain_hash = v_head.chain_hash
        where al.created_at = v_row.created_at and al.id = v_row.id;
        sealed := sealed + 1;
    end loop;
    insert into auth.audit_heads (month, rows_sealed, chain_hash)
    values (v_month, v_head.rows_sealed, v_head.chain_hash)
    on conflict on constraint pk_audit_heads do update
    set rows_sealed = excluded.rows_sealed, chain_hash = excluded.chain_hash, sealed_at = excluded.sealed_at;
end
$$;

comment on function auth.seal_audit(integer, timestamptz) is
'Chains rows of the audit that are not yet sealed, the oldest first, one month a call: each gets its place in the month''s chain and the hash of the row before and itself. A row that comes late, with an older time, is next. A call that finds nothing left writes the heads to the server''s log, so that they exist outside the database; see auth.verify_audit().
p_limit: at most so many rows. p_before: only what is older; by default the minutes that are over, so that a job among busy writers ends.
Returns how many were sealed; none while another session seals.
Errors: 22023 for an argument out of range.';

revoke all on function auth.seal_audit(integer, timestamptz) from public;
grant execute on function auth.seal_audit(integer, timestamptz) to aqm_jobs;

select ops.schedule_job(
    'seal_audit',
    '* * * * *',
    interval '1 minute',
    p_step => 'auth.seal_audit(5000)'
);
