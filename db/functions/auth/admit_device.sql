create or replace function auth.admit_device(
    p_user_id uuid,
    p_device_name text,
    out subject uuid
)
returns uuid
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    subject := auth.device_id(p_user_id, p_device_name);
    if exists (select from auth.user_devices as ud where ud.subject = admit_device.subject) then
        return;
    end if;
    -- A device is a sender of its own: who could have as many as they like would have no quota and no limit.
    if (
        select count(*) >= 10
        from auth.user_devices as ud
        where ud.user_id = p_user_id and ud.created_at > now() - interval '30 days'
    ) then
        raise exception using errcode = 'PT409', message = 'at most 10 new devices in 30 days', constraint = 'devices';
    end if;
    insert into auth.user_devices (subject, user_id)
    values (subject, p_user_id)
    on conflict on constraint pk_user_devices do nothing;
end
$$;

comment on function auth.admit_device(uuid, text) is
'Lets a person log in with a key store: any number of times with one, with ten new ones at most in 30 days.
p_user_id: whose, locked by the caller. p_device_name: which of theirs.
Returns the key store''s id, as auth.device_id().
Errors: PT409 for one too many.';

revoke all on function auth.admit_device(uuid, text) from public;
