create or replace function auth.rotate_keys(
    p_limit integer default 1000,
    out rotated bigint
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_encryption constant integer := auth.current_key('encryption');
    v_index constant integer := auth.current_key('index');
    v_old_encryption constant integer[] := auth.old_keys('encryption');
    v_old_index constant integer[] := auth.old_keys('index');
    v_ids uuid[];
begin
    if (p_limit >= 1) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    end if;

    v_ids := array(
        select u.id from auth.users as u
        where u.encryption_version = any(v_old_encryption)
        limit p_limit
        for update skip locked
    );
    if v_ids = '{}' then
        v_ids := array(
            select u.id from auth.users as u
            where u.index_version = any(v_old_index) and u.email_encrypted is not null
            limit p_limit
            for update skip locked
        );
    end if;
    update auth.users as u
    set
        email_hash = auth.blind_index(auth.decrypt_text(u.email_encrypted, u.encryption_version), v_index),
        email_encrypted = auth.encrypt_text(
            auth.decrypt_text(u.email_encrypted, u.encryption_version), v_encryption
        ),
        name_encrypted = auth.encrypt_text(auth.decrypt_text(u.name_encrypted, u.encryption_version), v_encryption),
        encryption_version = v_encryption,
        index_version = v_index
    where u.id = any(v_ids);
    get diagnostics rotated = row_count;
    if rotated = 0 then
        rotated := auth.rotate_email_secrets(p_limit, v_old_encryption, v_encryption);
    end if;
end
$$;

comment on function auth.rotate_keys(integer) is
'Writes what older data keys wrote anew with the current ones, while all goes on. First give every gateway the new key beside the old, then auth.use_data_key(), then this again and again, each time in a transaction of its own, until it returns 0 (in psql: \watch); when auth.key_usage() shows nothing of the old key, auth.forget_data_key(). The Aadhaar number is not kept, so its hash stays with the key that it was made with: an index key that made some is needed until those people are gone.
p_limit: at most so many people, or emails yet to be sent.
Returns how many were written anew; rows that others have locked are left for the next call.
Errors: 22023 for an argument out of range, PT503 without all data keys, 39000 for a value that was changed.';

revoke all on function auth.rotate_keys(integer) from public;
