create or replace function auth.normal_email(
    p_email text
)
returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_email text;
begin
    -- Anybody may ask, and the time that NFKC takes may grow with the square of the length: minutes for 100 kB.
    if octet_length(p_email) > 1000 then
        raise exception using errcode = 'invalid_parameter_value', message = 'email must be an email address';
    end if;
    -- Emails go to what this returns: two spellings that fold into one are one mailbox, never one person's and another's.
    v_email := lower(btrim(normalize(p_email, nfkc)));
    if octet_length(v_email) > 254 or (v_email ~ '^[^@]+@[^@]+\.[^@.]+$') is not true
        or auth.visible_part(v_email) <> v_email then
        raise exception using errcode = 'invalid_parameter_value', message = 'email must be an email address';
    end if;
    return v_email;
end
$$;

comment on function auth.normal_email(text) is
'Brings an email address into the form in which it is compared: without blanks around, lower case, NFKC (a full-width letter is its plain one).
p_email: as a person types it, at most 254 bytes in that form, none of them invisible.
Returns the normal form.
Errors: 22023 for what is no address.';

revoke all on function auth.normal_email(text) from public;
