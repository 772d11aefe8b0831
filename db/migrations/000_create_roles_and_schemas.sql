-- Roles belong to the whole cluster and may be there already, made by another database.
do $$
declare
    v_role text;
    v_http_role text;
begin
    foreach v_role in array array[
        'aqm_gateway_owner', 'aqm_coins_owner', 'aqm_ops_owner',
        'aqm_anon', 'aqm_device', 'aqm_user', 'aqm_admin', 'aqm_monitor'
    ] loop
        if not exists (select from pg_roles as r where r.rolname = v_role) then
            execute format('create role %I nologin', v_role);
        end if;
    end loop;

    foreach v_role in array array['aqm_gateway', 'aqm_jobs'] loop
        if not exists (select from pg_roles as r where r.rolname = v_role) then
            execute format('create role %I login noinherit', v_role);
        end if;
    end loop;

    -- One login for each HTTP role: a call runs under its role from the first byte, at no cost a
    -- call, and an injection has nothing to switch to (docs/adr/0003).
    foreach v_http_role in array array['anon', 'device', 'user', 'admin'] loop
        v_role := 'aqm_gateway_' || v_http_role;
        if not exists (select from pg_roles as r where r.rolname = v_role) then
            execute format('create role %I login inherit', v_role);
        end if;
        execute format('grant %I to %I', 'aqm_' || v_http_role, v_role);
        execute format('alter role %I set statement_timeout = %L', v_role, '10s');
        execute format('alter role %I set idle_in_transaction_session_timeout = %L', v_role, '30s');
    end loop;
    alter role aqm_gateway set statement_timeout = '10s';
    -- A procedure that commits can't pin its search_path itself.
    alter role aqm_jobs set search_path = pg_catalog, pg_temp;

    -- A migrator that is no superuser must be able to become the owners.
    if not (select r.rolsuper from pg_roles as r where r.rolname = current_user) then
        foreach v_role in array array['aqm_gateway_owner', 'aqm_coins_owner', 'aqm_ops_owner'] loop
            execute format('grant %I to %I', v_role, current_user);
        end loop;
    end if;
end
$$;

create schema gateway authorization aqm_gateway_owner;
create schema ops authorization aqm_ops_owner;
create schema coins authorization aqm_coins_owner;

comment on schema gateway is 'What the HTTP gateway reads: which functions are endpoints.';
comment on schema ops is 'What a DBA and an operator see, and the jobs.';
comment on schema coins is 'The inventory of one-time public keys.';

-- Usage lets a role name what is inside; each function's own grant decides who may call it.
grant usage on schema coins, ops to aqm_anon, aqm_device, aqm_user, aqm_admin;
grant usage on schema coins, ops to aqm_monitor, aqm_jobs, aqm_gateway;
grant usage on schema gateway to aqm_gateway, aqm_monitor;
grant usage on schema gateway, ops to aqm_coins_owner;
grant usage on schema gateway to aqm_ops_owner;
-- gateway.expose() looks up the functions of the others by name.
grant usage on schema coins, ops to aqm_gateway_owner;

-- Only the global form takes EXECUTE from PUBLIC: the form IN SCHEMA can add rights, not remove them.
alter default privileges for role aqm_gateway_owner revoke execute on functions from public;
alter default privileges for role aqm_coins_owner revoke execute on functions from public;
alter default privileges for role aqm_ops_owner revoke execute on functions from public;

do $$
begin
    grant pg_monitor to aqm_ops_owner;
exception
    when insufficient_privilege then
        raise notice 'without the right to grant pg_monitor: ops shows less';
end
$$;

do $$
begin
    create extension if not exists pg_stat_statements with schema public;
exception
    when insufficient_privilege or undefined_file or feature_not_supported then
        raise notice 'without pg_stat_statements: slow_queries() shows nothing';
end
$$;

set local role aqm_ops_owner;

create table ops.schema_version (
    version integer primary key,
    applied_at timestamptz not null default now(),
    description text not null,
    checksum text not null
);

comment on table ops.schema_version is 'The migrations this database has had, one a row.';
comment on column ops.schema_version.checksum is 'SHA-256 of the file as it was applied, hexadecimal.';

grant select on ops.schema_version to aqm_monitor;
