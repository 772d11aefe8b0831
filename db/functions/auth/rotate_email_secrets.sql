create or replace function auth.rotate_email_secrets(
    p_limit integer,
    p_old integer[],
    p_new integer,
    out rotated bigint
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    with picked as materialized (
        select old.created_at, old.id
        from auth.email_events as old
        where old.status = 'queued' and old.encryption_version = any(p_old)
        limit p_limit
        for update skip locked
    )

    update auth.email_events as ee
    set
        secret_encrypted = auth.encrypt_text(auth.decrypt_text(ee.secret_encrypted, ee.encryption_version), p_new),
        encryption_version = p_new
    from picked
    where ee.created_at = picked.created_at and ee.id = picked.id;
    get diagnostics rotated = row_count;
end
$$;

comment on function auth.rotate_email_secrets(integer, integer[], integer) is
'Encrypts the secrets of emails yet to be sent anew.
p_limit: at most so many. p_old: those of these versions of the encryption key. p_new: the version to write with.
Returns how many.
Errors: PT503 without the data keys, 39000 for a secret that was changed.';

revoke all on function auth.rotate_email_secrets(integer, integer[], integer) from public;
