drop schema coins cascade;
drop schema ops cascade;
drop schema gateway cascade;

do $$
declare
    v_role text;
begin
    -- What is left of an owner are its default privileges; of the other roles nothing is.
    foreach v_role in array array['aqm_coins_owner', 'aqm_ops_owner', 'aqm_gateway_owner'] loop
        execute format('drop owned by %I', v_role);
    end loop;

    -- All roles or none: a login that is gone would leave the other database without its gateway.
    if exists (
        select from pg_shdepend as d
        where
            d.refclassid = 'pg_authid'::regclass
            and d.refobjid = 'aqm_coins_owner'::regrole
            and d.dbid not in (0, (select db.oid from pg_database as db where db.datname = current_database()))
    ) then
        raise notice 'the roles stay: another database of this server uses them';
        return;
    end if;

    foreach v_role in array array[
        'aqm_gateway_anon', 'aqm_gateway_device', 'aqm_gateway_user', 'aqm_gateway_admin',
        'aqm_gateway', 'aqm_jobs', 'aqm_monitor',
        'aqm_anon', 'aqm_device', 'aqm_user', 'aqm_admin',
        'aqm_coins_owner', 'aqm_ops_owner', 'aqm_gateway_owner'
    ] loop
        begin
            execute format('drop role %I', v_role);
        exception
            when dependent_objects_still_exist then
                raise notice 'role % stays: another database of this server knows it', v_role;
        end;
    end loop;
end
$$;
