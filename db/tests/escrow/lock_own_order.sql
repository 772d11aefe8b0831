begin;
select plan(5);

\ir setup/orders.sql

select pg_temp.order_at(1, 'disputed') as id \gset
select results_eq(
    format(
        'select l.id from (values (%L), (%L), (%L)) as w (wallet), escrow.lock_own_order(%L, w.wallet) as l',
        :buyer,
        :seller,
        :judge,
        :'id'
    ),
    format('values (%1$L::uuid), (%1$L), (%1$L)', :'id'), 'the parties and the arbitrator get the order'
);
select is_empty(format('select escrow.lock_own_order(%L, %L)', :'id', :stranger), 'a stranger does not');
select
    is_empty(
        format('select escrow.lock_own_order(%L, %L)', gen_random_uuid(), :buyer), 'nor anybody what is not there'
    );
insert into escrow.blacklist (wallet, reason) values (:buyer, 'thief'), (:stranger, 'thief');
update escrow.user_profiles set updated_at = now();
select throws_ok(
    format('select escrow.lock_own_order(%L, %L)', :'id', :buyer), '42501', 'wallet is blacklisted',
    'who is blacklisted adds nothing'
);
select is_empty(
    format('select escrow.lock_own_order(%L, %L)', :'id', :stranger), 'and a stranger learns nothing by it'
);

select * from finish();
rollback;
