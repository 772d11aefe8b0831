drop type gateway.signed_message;
drop domain gateway.wallet;
revoke usage on schema gateway from aqm_anon, aqm_wallet;

do $$
begin
    drop role aqm_gateway_wallet;
    drop role aqm_wallet;
exception
    when dependent_objects_still_exist then
        raise notice 'role aqm_wallet stays: another database of this server uses it';
end
$$;
