create or replace function auth.check_texts(
    p_device_name text,
    p_device_type text,
    p_browser_fingerprint text
)
returns void
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    if octet_length(p_device_name) not between 1 and 200 then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'device_name must have between 1 and 200 bytes';
    elsif octet_length(p_device_type) not between 1 and 50 then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'device_type must have between 1 and 50 bytes';
    elsif octet_length(p_browser_fingerprint) not between 1 and 200 then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'browser_fingerprint must have between 1 and 200 bytes';
    end if;
end
$$;

comment on function auth.check_texts(text, text, text) is
'Refuses what a client tells of itself at too great a length; null is fine.
p_device_name: 1 to 200 bytes. p_device_type: 1 to 50. p_browser_fingerprint: 1 to 200.
Errors: 22023 for a text that is empty or too long.';

revoke all on function auth.check_texts(text, text, text) from public;
