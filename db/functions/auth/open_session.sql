create or replace function auth.open_session(
    p_user_id uuid,
    p_role text,
    p_device_name text,
    p_device_type text,
    p_browser_fingerprint text
)
returns setof auth.tokens
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    -- 16 bytes that stay and name the family, 32 that are new each time.
    v_token constant bytea := crypto.gen_random_bytes(48);
    v_session auth.sessions;
    v_subject uuid := p_user_id;
    v_old auth.sessions;
begin
    if p_role = 'device' then
        v_subject := auth.admit_device(p_user_id, p_device_name);
    end if;
    for v_old in
        select s.*
        from auth.sessions as s
        where s.id = any(array(
            select old.id
            from auth.sessions as old
            where old.user_id = p_user_id and old.is_active and old.deleted_at is null
            order by old.last_active desc
            offset 49
        ))
        order by s.id
        -- Only these: with the others people may be refreshing.
        for update
    loop
        perform auth.end_session(v_old);
    end loop;

    insert into auth.sessions as s (
        user_id, role, subject, family_hash, refresh_token_hash, access_token_exp, device_type, device_name,
        browser_fingerprint, expires_at
    )
    values (
        p_user_id, p_role, v_subject,
        sha256(substr(v_token, 1, 16)), sha256(v_token), now() + interval '15 minutes', p_device_type, p_device_name,
        p_browser_fingerprint, now() + interval '30 days'
    )
    returning s.* into v_session;
    perform auth.write_audit('session.opened', p_user_id, v_session.id, jsonb_build_object('role', p_role));
    return query select * from auth.make_tokens(v_session, v_token);
end
$$;

comment on function auth.open_session(uuid, text, text, text, text) is
'Opens a session, which lasts for 30 days from its last refresh. A person has 50 at most: beyond that the one that was idle for longest ends.
p_user_id: whose. p_role: device, user, worker or admin. p_device_name: of a key store. p_device_type, p_browser_fingerprint: what the client told of itself.
Returns the tokens.
Errors: PT409 for a device more than auth.admit_device() lets in.';

revoke all on function auth.open_session(uuid, text, text, text, text) from public;
