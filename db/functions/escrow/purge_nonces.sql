create or replace function escrow.purge_nonces(
    p_limit integer default null,
    out deleted bigint
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_limit < 1 then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    end if;

    delete from escrow.sign_in_nonce as n
    where n.ctid = any(array(
        select old.ctid
        from escrow.sign_in_nonce as old
        where old.expires_at <= now()
        limit p_limit
        for update skip locked
    ));
    get diagnostics deleted = row_count;
end
$$;

comment on function escrow.purge_nonces(integer) is
'Forgets nonces that nobody used and that have expired.
p_limit: delete at most so many; null: all.
Returns how many were deleted.
Errors: 22023 for an argument out of range.';

revoke all on function escrow.purge_nonces(integer) from public;
grant execute on function escrow.purge_nonces(integer) to aqm_jobs;

select ops.schedule_job(
    'purge_nonces',
    '*/10 * * * *',
    interval '10 minutes',
    p_step => 'escrow.purge_nonces(1000)'
);
