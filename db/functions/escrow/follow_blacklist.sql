create or replace function escrow.follow_blacklist()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallets text[];
begin
    -- Whoever gets a profile at this moment waits (escrow.follow_profile()), or we for them: neither overlooks the other.
    perform pg_advisory_xact_lock(hashtextextended('escrow.blacklist', 0));
    -- Each update makes follow_profile() look into the blacklist.
    if tg_op = 'TRUNCATE' then
        update escrow.user_profiles as u set updated_at = now() where u.is_blacklisted;
    else
        v_wallets := array_remove(array[
            case when tg_op <> 'INSERT' then lower(old.wallet) end,
            case when tg_op <> 'DELETE' then lower(new.wallet) end
        ], null);
        if tg_op <> 'DELETE' then
            perform escrow.pause_products(new.wallet);
        end if;
        update escrow.user_profiles as u set updated_at = now() where lower(u.wallet) = any(v_wallets);
    end if;
    perform escrow.bust_profiles();
    return null;
end
$$;

comment on function escrow.follow_blacklist() is
'Carries a change of the blacklist over to the profiles, however it is made, and pauses what the shut out sell.
Errors: none.';

revoke all on function escrow.follow_blacklist() from public;

select ops.keep_trigger(
    'escrow.blacklist',
    'follow_blacklist',
    'after insert or delete or update of wallet on escrow.blacklist
    for each row execute function escrow.follow_blacklist()'
);
select ops.keep_trigger(
    'escrow.blacklist',
    'follow_blacklist_truncate',
    'after truncate on escrow.blacklist for each statement execute function escrow.follow_blacklist()'
);
