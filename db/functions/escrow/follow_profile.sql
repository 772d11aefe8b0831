create or replace function escrow.follow_profile()
returns trigger
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_blacklisted boolean;
begin
    if tg_op = 'INSERT' then
        -- Not while somebody is being blacklisted: what is not committed yet would be overlooked.
        perform pg_advisory_xact_lock_shared(hashtextextended('escrow.blacklist', 0));
    end if;
    new.rating := case when new.rating_count > 0 then round(new.rating_sum::numeric / new.rating_count, 2) end;
    new.reputation_score := greatest(-9999.99, least(9999.99, new.reputation_sum));
    new.tier := escrow.tier_of(new.total_trades, new.rating);
    v_is_blacklisted := escrow.is_blacklisted(new.wallet);
    if tg_op = 'UPDATE' and new.is_blacklisted not in (old.is_blacklisted, v_is_blacklisted) then
        raise exception using errcode = 'PT409', constraint = 'is_blacklisted',
            message = 'is_blacklisted follows from the table blacklist: call blacklist_wallet() or clear_wallet()';
    end if;
    new.is_blacklisted := v_is_blacklisted;
    return new;
end
$$;

comment on function escrow.follow_profile() is
'Keeps what follows from the rest of a profile: rating, score, tier, and whether it is blacklisted.
Errors: PT409 (is_blacklisted) for a change of that mark alone.';

revoke all on function escrow.follow_profile() from public;

select ops.keep_trigger(
    'escrow.user_profiles',
    'follow_profile',
    'before insert or update on escrow.user_profiles for each row execute function escrow.follow_profile()'
);
