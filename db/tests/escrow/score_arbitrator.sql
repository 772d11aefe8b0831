begin;
select plan(7);

\ir setup/orders.sql

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
