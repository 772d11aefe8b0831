create or replace function auth.check_object(
    p_name text,
    p_value jsonb
)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if jsonb_typeof(p_value) <> 'object' or octet_length(p_value::text) > 20000 then
        raise exception using errcode = 'invalid_parameter_value',
            message = format('%s must be a JSON object of at most 20000 bytes', p_name);
    end if;
end
$$;

comment on function auth.check_object(text, jsonb) is
'Refuses what is no JSON object or too large; null is fine.
p_name: the field''s name, for the message. p_value: what was sent.
Errors: 22023 for another value.';

revoke all on function auth.check_object(text, jsonb) from public;
