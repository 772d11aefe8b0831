create or replace function auth.forget_audit_head(
    p_month date
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_head auth.audit_heads;
begin
    delete from auth.audit_heads as ah where ah.month = p_month returning ah.* into v_head;
    -- The chain of this month tells how far that of the dropped one went.
    perform auth.write_audit('audit.month_dropped', p_detail => jsonb_build_object(
        'month', to_char(p_month, 'YYYY-MM'),
        'rows', coalesce(v_head.rows_sealed, 0),
        'hash', encode(v_head.chain_hash, 'hex')
    ));
end
$$;

comment on function auth.forget_audit_head(date) is
'Writes down in the audit that a month of it was dropped, and forgets the month''s head.
p_month: the first day of the month.
Errors: none.';

revoke all on function auth.forget_audit_head(date) from public;
