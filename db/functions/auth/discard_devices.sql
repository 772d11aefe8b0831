create or replace function auth.discard_devices(
    p_limit integer default null,
    out discarded bigint
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_subject uuid;
begin
    if p_limit < 1 then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    end if;

    discarded := 0;
    for v_subject in
        select ud.subject
        from auth.user_devices as ud
        -- Until then tokens of its sessions are refused everywhere, and an upload that was under way is over.
        where ud.closed_at <= now() - interval '1 minute'
        order by ud.closed_at
        limit p_limit
        for update skip locked
    loop
        perform coins.discard_coins(v_subject);
        delete from auth.user_devices as ud where ud.subject = v_subject;
        discarded := discarded + 1;
    end loop;
end
$$;

comment on function auth.discard_devices(integer) is
'Deletes the coins of people whose accounts were deleted a minute ago or more, last-resort coins included: nobody is left who could read what is encrypted for them. Then forgets their devices.
p_limit: at most so many devices, of up to some thousand coins each; null: all.
Returns how many devices.
Errors: 22023 for an argument out of range.';

revoke all on function auth.discard_devices(integer) from public;
grant execute on function auth.discard_devices(integer) to aqm_jobs;

select ops.schedule_job(
    'discard_devices',
    '* * * * *',
    interval '1 minute',
    p_step => 'auth.discard_devices(1)'
);
