create or replace function auth.close_account(
    p_id uuid,
    p_password text,
    out closed boolean
)
returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_custom_plan
as $$
begin
    -- Asked once more: a token that was stolen must not be enough to delete an account.
    closed := auth.confirm_password(p_id, p_password);
    if closed then
        perform auth.delete_user(p_id);
    else
        perform set_config('response.status', '403 the password is wrong', true);
    end if;
end
$$;

comment on function auth.close_account(uuid, text) is
'Deletes a person''s own account, as auth.delete_user() does.
p_id: whose. p_password: the person''s.
Returns whether it was deleted; a wrong password leaves a row in the audit and is 403 over HTTP; it counts as a refused login.
Errors: 22023 for a null and for more than 1000 characters, PT404 when there is no such account or it is locked, PT429 with the seconds to wait after too many refusals.';

revoke all on function auth.close_account(uuid, text) from public;
grant execute on function auth.close_account(uuid, text) to aqm_user;

-- Not DELETE: a password belongs into a body, and DELETE has none that every proxy passes on.
select gateway.expose(
    'POST /users/{id}/close', 'auth.close_account', p_caller_argument => 'p_id', p_is_costly => true
);
