create or replace function auth.use_data_key(
    p_kind text,
    p_version integer
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_proof bytea;
begin
    if (p_kind in ('encryption', 'index')) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'kind must be encryption or index';
    elsif (p_version between 1 and 32767) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'version must be between 1 and 32767';
    end if;

    -- Two gateways at their first start: one makes it, the other finds it.
    perform pg_advisory_xact_lock(hashtextextended('auth.use_data_key', 0));
    v_proof := auth.prove_key(auth.data_key(p_kind, p_version));
    update auth.data_keys as dk set is_current = false
    where dk.kind = p_kind and dk.is_current and dk.version <> p_version;
    insert into auth.data_keys as dk (kind, version, proof)
    values (p_kind, p_version, v_proof)
    on conflict on constraint pk_data_keys do update set is_current = true where not dk.is_current;
    if found then
        perform auth.write_audit('data_key.used', p_detail => jsonb_build_object('kind', p_kind, 'version', p_version));
    end if;
end
$$;

comment on function auth.use_data_key(text, integer) is
'Makes a data key the one that is written with from now on; what older keys wrote stays readable as long as they are given.
p_kind: encryption or index. p_version: which of the given keys.
Errors: 22023 for an unknown kind or version, PT503 when the key is not given, malformed or not the one of that version.';

revoke all on function auth.use_data_key(text, integer) from public;
