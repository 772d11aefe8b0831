drop schema escrow cascade;
drop extension pg_trgm;
drop schema trigram;

do $$
begin
    -- Its default privileges and the rights that others gave it.
    drop owned by aqm_escrow_owner;
    drop role aqm_escrow_owner;
exception
    when dependent_objects_still_exist then
        raise notice 'role aqm_escrow_owner stays: another database of this server uses it';
end
$$;
