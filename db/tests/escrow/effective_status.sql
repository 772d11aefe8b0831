begin;
select plan(12);

select
    is(
        escrow.effective_status(c.party::escrow.order_status, c.chain::escrow.order_status)::text,
        c.expected,
        c.description
    )
from (
    values
    ('created', null, 'created', 'before the first event the parties are right'),
    ('resolved_buyer', null, 'resolved_buyer', 'however far they are'),
    ('created', 'created', 'created', 'who agree, agree'),
    ('completed', 'created', 'completed', 'a contract that is behind changes nothing'),
    ('resolved_seller', 'seller_confirmed', 'resolved_seller', 'by however many steps'),
    ('created', 'completed', 'completed', 'a contract that is ahead wins'),
    ('seller_confirmed', 'resolved_buyer', 'resolved_buyer', 'by however many steps'),
    ('completed', 'disputed', 'disputed', 'and one that went another way'),
    ('expired', 'seller_confirmed', 'seller_confirmed', 'also where time was wrong'),
    ('cancelled', 'completed', 'completed', 'or a party'),
    ('resolved_buyer', 'resolved_seller', 'resolved_seller', 'or the arbitrator'),
    ('completed', 'cancelled', 'cancelled', 'one end is not another')
) as c (party, chain, expected, description);

select * from finish();
rollback;
