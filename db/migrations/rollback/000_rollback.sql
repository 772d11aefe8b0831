drop schema coins cascade;
drop schema ops cascade;
drop schema gateway cascade;
drop extension if exists pg_stat_statements;

do $$
declare
    v_role text;
begin
    foreach v_role in array array[
        'aqm_gateway_anon', 'aqm_gateway_device', 'aqm_gateway_user', 'aqm_gateway_admin',
        'aqm_gateway', 'aqm_jobs', 'aqm_monitor',
        'aqm_anon', 'aqm_device', 'aqm_user', 'aqm_admin',
        'aqm_coins_owner', 'aqm_ops_owner', 'aqm_gateway_owner'
    ] loop
        execute format('drop owned by %I', v_role);
        begin
            execute format('drop role %I', v_role);
        exception
            when dependent_objects_still_exist then
                raise notice 'role % stays: another database of this server uses it', v_role;
        end;
    end loop;
end
$$;
