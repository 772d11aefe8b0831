begin;
select plan(9);

select is(escrow.tier_of(tier.trades, tier.rating)::text, tier.expected, tier.description)
from (
    values
    (0, null, 'new', 'who never traded is new'),
    (9, 5.0, 'new', 'and stays so for nine trades, however good'),
    (10, null, 'standard', 'ten trades are standard'),
    (99, 5.0, 'standard', 'up to ninety-nine'),
    (100, 4.0, 'trusted', 'a hundred with four stars are trusted'),
    (100, 3.99, 'standard', 'with less they are not'),
    (100, null, 'standard', 'nor without any review'),
    (5000, 1.0, 'standard', 'many trades do not make up for it'),
    (5000, 5.0, 'trusted', 'many good ones are trusted')
) as tier (trades, rating, expected, description);

select * from finish();
rollback;
