create or replace function auth.log_audit_heads()
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_head auth.audit_heads;
begin
    for v_head in
        select ah.*
        from auth.audit_heads as ah
        -- The month before as well: its last rows may have been sealed in this one.
        where ah.month >= (date_trunc('month', now() at time zone 'UTC') - interval '1 month')::date
        order by ah.month
    loop
        raise log 'audit head: month %, rows %, hash %',
            to_char(v_head.month, 'YYYY-MM'), v_head.rows_sealed, encode(v_head.chain_hash, 'hex');
    end loop;
end
$$;

comment on function auth.log_audit_heads() is
'Writes the heads of this and the last month''s audit to the server''s log: auth.verify_audit() holds the chain against such a line.
Errors: none.';

revoke all on function auth.log_audit_heads() from public;
