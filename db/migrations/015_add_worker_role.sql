-- Who sends the emails reads addresses and the secrets that open accounts: nothing an admin needs, and nothing else.
do $$
begin
    if not exists (select from pg_roles as r where r.rolname = 'aqm_worker') then
        create role aqm_worker nologin;
    end if;
    if not exists (select from pg_roles as r where r.rolname = 'aqm_gateway_worker') then
        create role aqm_gateway_worker login inherit;
    end if;
    grant aqm_worker to aqm_gateway_worker;
    alter role aqm_gateway_worker set statement_timeout = '10s';
    alter role aqm_gateway_worker set idle_in_transaction_session_timeout = '30s';
end
$$;

grant usage on schema auth to aqm_worker;

-- Old rows are checked by the next migration: in a transaction of its own that locks nobody out.
alter table auth.sessions drop constraint sessions_role_check;
alter table auth.sessions add constraint ck_sessions_role
check (role in ('device', 'user', 'worker', 'admin')) not valid;

comment on table auth.user_roles is 'What a person is in a product: aqm/admin may log in as admin, aqm/worker as worker.';
