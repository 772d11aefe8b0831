create or replace function auth.forget_data_key(
    p_kind text,
    p_version integer
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_current boolean;
begin
    select dk.is_current into v_is_current
    from auth.data_keys as dk
    where dk.kind = p_kind and dk.version = p_version
    for update;
    if not found then
        raise exception using errcode = 'PT404', message = 'there is no such data key';
    elsif v_is_current then
        raise exception using errcode = 'PT409', message = 'this data key is the one that is written with',
            hint = 'auth.use_data_key() and auth.rotate_keys() come first';
    end if;

    -- Who writes with it at this moment is waited for.
    lock table auth.users, auth.email_events in share mode;
    if p_kind = 'encryption' and (
        exists (select from auth.users as u where u.encryption_version = p_version)
        or exists (select from auth.email_events as ee where ee.encryption_version = p_version)
    ) or p_kind = 'index' and (
        exists (select from auth.users as u where u.index_version = p_version)
        or exists (select from auth.users as u where u.aadhaar_version = p_version)
    ) then
        raise exception using errcode = 'PT409', message = 'there are rows that this data key wrote',
            hint = 'auth.key_usage() counts them, auth.rotate_keys() writes them anew';
    end if;
    delete from auth.data_keys as dk where dk.kind = p_kind and dk.version = p_version;
    perform auth.write_audit(
        'data_key.forgotten', p_detail => jsonb_build_object('kind', p_kind, 'version', p_version)
    );
end
$$;

comment on function auth.forget_data_key(text, integer) is
'Forgets a data key that no row needs any more; look at auth.key_usage() once more before the key itself is taken from the gateways. With an index key the lock-out forgets the tries to log in that were counted under it.
p_kind: encryption or index. p_version: which.
Errors: PT404 for an unknown key, PT409 for one that is written with or that rows were written with.';

revoke all on function auth.forget_data_key(text, integer) from public;
