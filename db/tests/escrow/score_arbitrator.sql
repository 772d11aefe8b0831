begin;
select plan(7);

\set buyer '''0x00000000000000000000000000000000000000b1'''
\set seller '''0x00000000000000000000000000000000000000b2'''
\set judge '''0x00000000000000000000000000000000000000b3'''
\set stranger '''0x00000000000000000000000000000000000000b4'''
\set product '''d0000000-0000-4000-8000-000000000000'''
insert into escrow.user_profiles (wallet, public_key, created_at)
values
(:buyer, 'cHVi', now() - interval '30 days'), (:seller, 'cHVi', now() - interval '30 days'),
(:judge, 'cHVi', now() - interval '30 days'), (:stranger, 'cHVi', now() - interval '30 days');
insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (:judge, 500, :judge);
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (:product, :seller, 'Title', 'Text', 'data', 10, 30, 'hash');

create function pg_temp.score(
    p_reputation integer, p_has_resolved boolean
) returns escrow.arbitrators language plpgsql as $$
declare
    v_row escrow.arbitrators;
begin
    update escrow.arbitrators set reputation = p_reputation, total_resolved = 7, is_active = p_reputation >= 10;
    perform escrow.score_arbitrator('0x00000000000000000000000000000000000000b3', p_has_resolved);
    select a.* into v_row from escrow.arbitrators as a;
    return v_row;
end
$$;
select
    is(
        (
            select format('%s %s %s', s.reputation, s.total_resolved, s.is_active)
            from pg_temp.score(c.was, c.has_resolved) as s
        ),
        c.now, c.description
    )
from (
    values
    (50, true, '52 8 t', 'a ruling gives two points'),
    (99, true, '100 8 t', 'up to a hundred'),
    (50, false, '45 7 t', 'being late costs five'),
    (15, false, '10 7 t', 'who has ten left stays'),
    (14, false, '9 7 f', 'who has less does not'),
    (3, false, '0 7 f', 'nobody has less than nothing'),
    (9, true, '11 8 f', 'a ruling brings nobody back')
) as c (was, has_resolved, now, description);

select * from finish();
rollback;
