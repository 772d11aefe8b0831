comment on table auth.user_roles is 'What a person is in a product: aqm/admin may log in as admin.';

-- The role before knows no workers; their sessions go with it.
delete from auth.sessions
where role = 'worker';
alter table auth.sessions drop constraint ck_sessions_role;
alter table auth.sessions add constraint sessions_role_check
check (role in ('device', 'user', 'admin'));

revoke usage on schema auth from aqm_worker;

do $$
begin
    drop role aqm_gateway_worker;
    drop role aqm_worker;
exception
    when dependent_objects_still_exist then
        raise notice 'role aqm_worker stays: another database of this server uses it';
end
$$;
