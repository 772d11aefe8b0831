create or replace function auth.list_users(
    p_after uuid default null,
    p_limit integer default 100,
    p_username text default null
)
returns setof auth.user_account
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    if (p_limit between 1 and 1000) is not true then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be between 1 and 1000';
    end if;

    return query
    select account.*
    from (
        select u.id
        from auth.users as u
        where
            u.deleted_at is null
            and (p_after is null or u.id > p_after)
            and (p_username is null or u.username = p_username)
        order by u.id
        limit p_limit
    ) as page
    cross join lateral auth.find_user(page.id) as account
    order by page.id;
end
$$;

comment on function auth.list_users(uuid, integer, text) is
'Lists people, a page at a time.
p_after: the last id of the page before; null: from the beginning. p_limit: 1 to 1000. p_username: only who has this name; null: all.
Returns accounts by id.
Errors: 22023 for an argument out of range, PT503 without the data keys.';

revoke all on function auth.list_users(uuid, integer, text) from public;
grant execute on function auth.list_users(uuid, integer, text) to aqm_admin;

select gateway.expose('GET /users', 'auth.list_users', 'users', p_needs_keys => true);
