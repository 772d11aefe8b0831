create or replace function escrow.check_profiles(
    p_limit integer default null,
    out mended bigint
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_wallet text;
begin
    if p_limit < 1 then
        raise exception using errcode = 'invalid_parameter_value', message = 'limit must be at least 1';
    end if;

    mended := 0;
    for v_wallet in
        -- One snapshot, in which every order is counted or not yet there: nobody has to wait for the check.
        select u.wallet
        from (
            (
                select recent.wallet
                from (
                    select o.buyer_wallet as wallet from escrow.orders as o where o.updated_at > now() - interval '25 hours'
                    union
                    select o.seller_wallet from escrow.orders as o where o.updated_at > now() - interval '25 hours'
                    union
                    select v.target_wallet from escrow.reviews as v where v.created_at > now() - interval '25 hours'
                ) as recent
                order by random()
                limit p_limit
            )
            union
            (select p.wallet from escrow.user_profiles as p order by random() limit p_limit)
        ) as chosen
        inner join escrow.user_profiles as u on u.wallet = chosen.wallet
        cross join lateral escrow.count_profile(u.wallet) as c
        where
            (u.total_trades, u.total_as_buyer, u.total_as_seller, u.reputation_sum, u.rating_count, u.rating_sum)
            <> (
                c.total_as_buyer + c.total_as_seller, c.total_as_buyer, c.total_as_seller, c.reputation_sum,
                c.rating_count, c.rating_sum
            )
            or u.tier <> escrow.tier_of(u.total_trades, u.rating)
            or u.is_blacklisted <> escrow.is_blacklisted(u.wallet)
        order by u.wallet
    loop
        raise warning 'profile % was not what its orders, its reviews and the blacklist say', v_wallet;
        perform escrow.recompute_profile(v_wallet);
        mended := mended + 1;
    end loop;
end
$$;

comment on function escrow.check_profiles(integer) is
'Counts profiles from scratch, as a check: those whose orders or reviews are of the last 25 hours, and others by chance. One that differs is mended, and a warning in the server''s log names it: something changed a table past our functions.
p_limit: at most so many of the first, and as many of the others; null: all.
Returns how many differed.
Errors: 22023 for an argument out of range.';

revoke all on function escrow.check_profiles(integer) from public;
grant execute on function escrow.check_profiles(integer) to aqm_jobs;

select ops.schedule_job(
    'check_profiles',
    '10 3 * * *',
    interval '1 day',
    p_step => 'escrow.check_profiles(5000)'
);
