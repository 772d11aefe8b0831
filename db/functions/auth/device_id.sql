create or replace function auth.device_id(
    p_id uuid,
    p_device_name text
)
returns uuid
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return encode(substr(sha256(uuid_send(p_id) || convert_to(p_device_name, 'UTF8')), 1, 16), 'hex')::uuid;
end
$$;

comment on function auth.device_id(uuid, text) is
'Names the key store of a person''s device: the same for the same name, and nobody else can have it.
p_id: whose. p_device_name: which of theirs.
Returns the first 16 bytes of the SHA-256 of both.
Errors: none.';

revoke all on function auth.device_id(uuid, text) from public;
