create or replace function auth.chain_hash(
    p_previous bytea,
    p_row auth.audit_logs,
    p_position bigint
)
returns bytea
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Nothing in it that a session could set otherwise: the time as a number, no bytea.
    return sha256(coalesce(p_previous, '') || convert_to(
        jsonb_build_array(
            p_row.id, extract(epoch from p_row.created_at), p_row.action, p_row.actor, p_row.user_id,
            p_row.session_id, p_row.address::text, p_row.detail, p_position
        )::text,
        'UTF8'
    ));
end
$$;

comment on function auth.chain_hash(bytea, auth.audit_logs, bigint) is
'Works out the hash that chains a row of the audit to the row before it.
p_previous: the hash of the row before; null: it is the first. p_row: the row. p_position: its place in the month''s chain.
Returns the SHA-256 of both: the same in every session, whatever its time zone.
Errors: none.';

revoke all on function auth.chain_hash(bytea, auth.audit_logs, bigint) from public;
