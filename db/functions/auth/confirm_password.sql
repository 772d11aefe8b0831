create or replace function auth.confirm_password(
    p_id uuid,
    p_password text,
    out is_confirmed boolean
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_hash text;
    v_email_hash bytea;
begin
    -- None of these is a guess: nothing is counted, and nothing written.
    if p_password is null then
        raise exception using errcode = 'invalid_parameter_value', message = 'password must not be null';
    elsif char_length(p_password) > 1000 then
        raise exception using errcode = 'invalid_parameter_value',
            message = 'password must have at most 1000 characters';
    end if;
    -- Locked: guesses that come at once are counted one after the other.
    select u.password_hash, u.email_hash into v_hash, v_email_hash
    from auth.users as u
    where u.id = p_id and u.deleted_at is null and u.is_active
    for no key update;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such account';
    end if;
    -- Counted with the logins: a token that was stolen for minutes must not be a way to guess the password.
    perform auth.check_lockout(array[v_email_hash]);
    is_confirmed := auth.is_password(p_password, v_hash);
    insert into auth.login_attempts (email_hash, address, user_id, is_success)
    select v_email_hash, auth.address_block(auth.caller_address()), p_id, is_confirmed
    where v_email_hash is not null;
    if not is_confirmed then
        perform auth.write_audit('password.refused', p_id);
    end if;
end
$$;

comment on function auth.confirm_password(uuid, text) is
'Asks a person who is logged in for the password once more; a wrong one leaves a row in the audit and counts as a refused login.
p_id: whose. p_password: as it was typed.
Returns whether it is the password.
Errors: 22023 for a null and for more than 1000 characters, PT404 when there is no such account or it is locked, PT429 with the seconds to wait after too many refusals.';

revoke all on function auth.confirm_password(uuid, text) from public;
