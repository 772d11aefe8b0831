begin;
select plan(6);

\set bob '''b0b00000-0000-4000-8000-000000000000'''
\set eve '''e5e00000-0000-4000-8000-000000000000'''
insert into auth.users (id) values (:bob), (:eve);

select is(
    auth.admit_device(:bob, 'phone'), auth.device_id(:bob, 'phone'), 'a person logs in with a key store of their own'
);
select is(
    auth.admit_device(:bob, 'phone'), auth.device_id(:bob, 'phone'), 'with the same one any number of times'
);
do $$ begin
    for n in 2..10 loop
        perform auth.admit_device('b0b00000-0000-4000-8000-000000000000', 'device ' || n);
    end loop;
end $$;
select throws_ok(
    format($$select auth.admit_device(%L, 'one more')$$, :bob), 'PT409', 'at most 10 new devices in 30 days',
    'who had as many senders as they like would have no quota'
);
select is(
    auth.admit_device(:bob, 'device 10'), auth.device_id(:bob, 'device 10'), 'those that are known are let in'
);
select is(auth.admit_device(:eve, 'phone'), auth.device_id(:eve, 'phone'), 'and so are others'' new ones');
update auth.user_devices as ud
set created_at = now() - interval '31 days'
where ud.subject = auth.device_id(:bob, 'phone');
select is(
    auth.admit_device(:bob, 'a new phone'), auth.device_id(:bob, 'a new phone'), 'in time there is room for a new one'
);

select * from finish();
rollback;
