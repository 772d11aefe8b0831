create or replace function auth.check_profile(
    p_name text,
    p_username text,
    p_first_company_id uuid
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if octet_length(p_name) not between 1 and 400 then
        raise exception using errcode = 'invalid_parameter_value', message = 'name must have between 1 and 400 bytes';
    elsif p_username !~ '^[a-z0-9][a-z0-9._-]{1,62}$' then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'username must have 2 to 63 of a-z, 0-9, dot, dash and underscore';
    elsif not exists (select from auth.companies as c where c.id = p_first_company_id and c.deleted_at is null)
        and p_first_company_id is not null then
        raise exception using errcode = 'invalid_parameter_value', message = 'first_company_id must be a company';
    end if;
end
$$;

comment on function auth.check_profile(text, text, uuid) is
'Refuses what a person may not be told to be; null is fine.
p_name: 1 to 400 bytes. p_username: 2 to 63 of a-z, 0-9, dot, dash and underscore. p_first_company_id: a company.
Errors: 22023 for what is none of these.';

revoke all on function auth.check_profile(text, text, uuid) from public;
