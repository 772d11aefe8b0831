begin;
select plan(7);

update coins.epoch
set number = 5;

select lives_ok('select coins.check_epoch(5)', 'a device that knows the epoch may go on');
select lives_ok('select coins.check_epoch(null)', 'a device that knows of no epoch is not checked');
select throws_ok(
    'select coins.check_epoch(4)', 'PT409', 'epoch is now 5',
    'a device that missed a restore is told the new epoch'
);
select throws_ok(
    'select coins.check_epoch(6)', 'PT409', 'epoch is now 5',
    'a device that is ahead, since its epoch was restored away, is refused as well'
);

-- What a client tells one refusal with PT409 from another by.
create function pg_temp.refusal_of(p_epoch bigint, out name text, out hint text)
language plpgsql
as $$
begin
    perform coins.check_epoch(p_epoch);
exception
    when sqlstate 'PT409' then
        get stacked diagnostics name = constraint_name, hint = pg_exception_hint;
end
$$;
select is(
    (
        select refusal.name
        from pg_temp.refusal_of(4) as refusal
    ), 'epoch',
    'a refusal carries a name by which a device knows it'
);
select matches(
    (
        select refusal.hint
        from pg_temp.refusal_of(4) as refusal
    ), '^Discard all private keys that were not issued, mint new ones',
    'and says what to do'
);

update coins.epoch
set number = 6;
select throws_ok(
    'select coins.check_epoch(5)', 'PT409', 'epoch is now 6',
    'an epoch that was good is refused once the next one began'
);

select * from finish();
rollback;
