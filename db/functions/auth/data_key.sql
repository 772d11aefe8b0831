create or replace function auth.data_key(
    p_kind text,
    p_version integer
)
returns bytea
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_given text;
    v_key bytea;
    v_proof bytea;
begin
    v_given := lower(replace(coalesce(current_setting('aqm.' || p_kind || '_keys', true), ''), ' ', ''));
    -- Whatever is wrong with them: no message may quote a key.
    if v_given = '' then
        raise exception using errcode = 'PT503',
            message = format('the %s keys are missing', p_kind),
            hint = format('the gateway has them from AQM_DATA_KEYS_FILE; in psql: set aqm.%s_keys', p_kind);
    elsif v_given !~ '^[1-9][0-9]{0,4}:[0-9a-f]{64}(,[1-9][0-9]{0,4}:[0-9a-f]{64})*$' then
        raise exception using errcode = 'PT503',
            message = format('the %s keys are malformed', p_kind),
            hint = 'version:key,version:key with 64 hexadecimal digits a key';
    end if;
    v_key := decode(substring(v_given from format('(?:^|,)%s:([0-9a-f]{64})', p_version)), 'hex');
    if v_key is null then
        raise exception using errcode = 'PT503',
            message = format('the %s key %s is missing', p_kind, p_version);
    end if;

    select dk.proof into v_proof from auth.data_keys as dk where dk.kind = p_kind and dk.version = p_version;
    if v_proof is distinct from auth.prove_key(v_key) and v_proof is not null then
        raise exception using errcode = 'PT503',
            message = format('the %s key %s is not the one that the data was written with', p_kind, p_version);
    end if;
    return v_key;
end
$$;

comment on function auth.data_key(text, integer) is
'Gives a data key to the functions of this schema, from the setting aqm.encryption_keys or aqm.index_keys.
p_kind: encryption or index. p_version: which.
Returns 32 bytes.
Errors: PT503 when the key is missing, malformed or not the one that the data was written with.';

revoke all on function auth.data_key(text, integer) from public;
