-- Roles belong to the whole server: no dump of a database carries them, and a database that was restored elsewhere
-- counts the migrations that made them as applied. So migrate.py applies this every time, before anything else.
-- What is there stays as it is: an operator may have chosen other settings, and whoever migrates a complete
-- database needs no right to change roles.
do $$
declare
    v_missing record;
begin
    for v_missing in
        select r.name, r.kind
        from (
            values
            ('aqm_gateway_owner', 'nologin'), ('aqm_ops_owner', 'nologin'),
            ('aqm_coins_owner', 'nologin'), ('aqm_auth_owner', 'nologin'), ('aqm_escrow_owner', 'nologin'),
            ('aqm_anon', 'nologin'), ('aqm_device', 'nologin'), ('aqm_user', 'nologin'),
            ('aqm_wallet', 'nologin'), ('aqm_worker', 'nologin'), ('aqm_admin', 'nologin'), ('aqm_monitor', 'nologin'),
            ('aqm_gateway', 'login noinherit'), ('aqm_jobs', 'login noinherit'),
            ('aqm_gateway_anon', 'login inherit'), ('aqm_gateway_device', 'login inherit'),
            ('aqm_gateway_user', 'login inherit'), ('aqm_gateway_wallet', 'login inherit'),
            ('aqm_gateway_worker', 'login inherit'), ('aqm_gateway_admin', 'login inherit')
        ) as r (name, kind)
        where not exists (select from pg_roles as known where known.rolname = r.name)
    loop
        execute format('create role %I %s', v_missing.name, v_missing.kind);
    end loop;

    -- One login for each HTTP role (docs/adr/0003). Whoever migrates and is no superuser must be able to become the
    -- owners.
    for v_missing in
        select m.member, m.name
        from (
            values
            ('aqm_gateway_anon', 'aqm_anon'), ('aqm_gateway_device', 'aqm_device'), ('aqm_gateway_user', 'aqm_user'),
            ('aqm_gateway_wallet', 'aqm_wallet'), ('aqm_gateway_worker', 'aqm_worker'), ('aqm_gateway_admin', 'aqm_admin'),
            (current_user, 'aqm_gateway_owner'), (current_user, 'aqm_ops_owner'),
            (current_user, 'aqm_coins_owner'), (current_user, 'aqm_auth_owner'), (current_user, 'aqm_escrow_owner')
        ) as m (member, name)
        where not pg_has_role(m.member, m.name, 'usage')
    loop
        execute format('grant %I to %I', v_missing.name, v_missing.member);
    end loop;

    for v_missing in
        select s.role_name, s.name, s.setting
        from (
            values
            ('aqm_gateway', 'statement_timeout', '''10s'''),
            ('aqm_gateway_anon', 'statement_timeout', '''10s'''),
            ('aqm_gateway_device', 'statement_timeout', '''10s'''),
            ('aqm_gateway_user', 'statement_timeout', '''10s'''),
            ('aqm_gateway_wallet', 'statement_timeout', '''10s'''),
            ('aqm_gateway_worker', 'statement_timeout', '''10s'''),
            ('aqm_gateway_admin', 'statement_timeout', '''10s'''),
            ('aqm_gateway_anon', 'idle_in_transaction_session_timeout', '''30s'''),
            ('aqm_gateway_device', 'idle_in_transaction_session_timeout', '''30s'''),
            ('aqm_gateway_user', 'idle_in_transaction_session_timeout', '''30s'''),
            ('aqm_gateway_wallet', 'idle_in_transaction_session_timeout', '''30s'''),
            ('aqm_gateway_worker', 'idle_in_transaction_session_timeout', '''30s'''),
            ('aqm_gateway_admin', 'idle_in_transaction_session_timeout', '''30s'''),
            -- A procedure that commits can't pin its search_path itself.
            ('aqm_jobs', 'search_path', 'pg_catalog, pg_temp')
        ) as s (role_name, name, setting)
        where not exists (
            select from pg_db_role_setting as known
            where
                known.setdatabase = 0 and known.setrole = s.role_name::regrole
                and exists (select from unnest(known.setconfig) as c where starts_with(c, s.name || '='))
        )
    loop
        execute format('alter role %I set %s = %s', v_missing.role_name, v_missing.name, v_missing.setting);
    end loop;
end
$$;

do $$
begin
    if not pg_has_role('aqm_ops_owner', 'pg_monitor', 'usage') then
        grant pg_monitor to aqm_ops_owner;
    end if;
exception
    when insufficient_privilege then
        raise notice 'without the right to grant pg_monitor: ops shows less';
end
$$;
