drop schema auth cascade;
drop extension pgcrypto;
drop schema crypto;

do $$
begin
    -- Its default privileges and the rights that others gave it.
    drop owned by aqm_auth_owner;
    drop role aqm_auth_owner;
exception
    when dependent_objects_still_exist then
        raise notice 'role aqm_auth_owner stays: another database of this server uses it';
end
$$;
