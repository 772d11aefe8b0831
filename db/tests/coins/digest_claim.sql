begin;
select plan(7);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set carol '''ca401000-0000-4000-8000-000000000000'''

select is(
    coins.digest_claim(:bob, 'GOLD', 2), sha256('b0b00000-0000-4000-8000-000000000000 GOLD 2'),
    'a claim is kept as a SHA-256 of what it asked for'
);
select is(
    coins.digest_claim(upper(:bob)::uuid, 'GOLD', 2), coins.digest_claim(:bob, 'GOLD', 2),
    'a retry is recognised however its sender writes the recipient'
);
select isnt(other.digest, coins.digest_claim(:bob, 'GOLD', 2), other.description)
from (
    values
    (coins.digest_claim(:carol, 'GOLD', 2), 'a claim of another recipient is another claim'),
    (coins.digest_claim(:bob, 'SILVER', 2), 'a claim of another category is another claim'),
    (coins.digest_claim(:bob, 'GOLD', 3), 'a claim of more coins is another claim'),
    (coins.digest_claim(:bob, 'GOLD', 22), 'a claim of 22 coins is not one of 2')
) as other (digest, description);
select is(
    octet_length(coins.digest_claim(:bob, 'GOLD', 2)), 32,
    'a digest has 32 bytes'
);

select * from finish();
rollback;
