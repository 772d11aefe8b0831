begin;
select plan(2);

select is(
    auth.prove_key(decode(repeat('11', 32), 'hex')),
    '\x6bad8cd1aada72f5c91bdbbf35b35617e0a6faade02652d0359146c42c4398d9'::bytea,
    'a key is known again in every version'
);
select isnt(
    auth.prove_key(decode(repeat('12', 32), 'hex')), auth.prove_key(decode(repeat('11', 32), 'hex')),
    'another key is told from it'
);

select * from finish();
rollback;
