create or replace function auth.verify_audit(
    p_month date default (now() at time zone 'UTC')::date,
    p_rows bigint default null,
    p_hash bytea default null
)
returns setof auth.audit_fault
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_row auth.audit_logs;
    v_fault text;
    v_end bigint := 0;
    v_hash bytea;
    v_hash_then bytea;
    v_head auth.audit_heads;
begin
    if p_month is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'month must not be null';
    elsif p_rows < 1 or (p_rows is null and p_hash is not null) then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'rows must be at least 1, and be there with a hash';
    end if;

    for v_row in
        select al.*
        from auth.audit_logs as al
        where
            al.created_at >= auth.month_start(p_month)
            and al.created_at < auth.month_start((p_month + interval '1 month')::date)
            and al.chain_position is not null
        order by al.chain_position, al.created_at, al.id
    loop
        v_fault := auth.chain_fault(v_row, v_end, v_hash);
        if v_fault is not null then
            return next (v_fault, v_row.chain_position, v_row.id)::auth.audit_fault;
        end if;
        -- The hash that is stored: so one fault is reported once, and not again at each later row.
        v_end := v_row.chain_position;
        v_hash := v_row.chain_hash;
        v_hash_then := case when v_end = p_rows then v_hash else v_hash_then end;
    end loop;

    select ah.* into v_head from auth.audit_heads as ah where ah.month = date_trunc('month', p_month::timestamp)::date;
    if coalesce(v_head.rows_sealed, 0) <> v_end then
        return next (
            format('the head says %s rows, the chain ends at %s', coalesce(v_head.rows_sealed, 0), v_end), v_end, null
        )::auth.audit_fault;
    elsif v_head.chain_hash is distinct from v_hash then
        return next ('the head has another hash than the last row', v_end, null)::auth.audit_fault;
    end if;
    if p_rows > v_end then
        return next (
            format('the head that was sent outside says %s rows, the chain ends at %s', p_rows, v_end), v_end, null
        )::auth.audit_fault;
    elsif p_hash is distinct from v_hash_then and p_hash is not null then
        return next ('the hash here is not the one that was sent outside', p_rows, null)::auth.audit_fault;
    end if;
end
$$;

comment on function auth.verify_audit(date, bigint, bytea) is
'Checks that a month''s audit is what was sealed: finds rows that were changed, deleted, put in another order or cut off. Whoever can write tables can also work out new hashes for all that follows, so hold it against a head that was sent outside: a line "audit head" of the server''s log.
p_month: any day of the month. p_rows: rows of that head; null: only the chain itself is checked. p_hash: its hash, ''\x…''; null: not asked.
Returns a row a fault, in the order of the chain; none: all is whole.
Errors: 22023 for a missing month, or a head that is none.';

revoke all on function auth.verify_audit(date, bigint, bytea) from public;
grant execute on function auth.verify_audit(date, bigint, bytea) to aqm_monitor;
