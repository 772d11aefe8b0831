begin;
select plan(5);

create table public.noted (word text);
create function public.note() returns trigger language plpgsql as
$$ begin new.word := new.word || ' noted'; return new; end $$;

select lives_ok(
    $$select ops.keep_trigger(
        'public.noted', 'note', 'before insert on public.noted for each row execute function public.note()'
    )$$,
    'a trigger that is missing is made'
);
insert into public.noted (word) values ('this is');
select results_eq('select word from public.noted', $$values ('this is noted')$$, 'it fires');

select lives_ok(
    $$select ops.keep_trigger('public.noted', 'note', 'nonsense')$$,
    'one that is there is left alone, so that nobody is locked out'
);
select throws_ok(
    $$select ops.keep_trigger('public.noted', 'another', 'nonsense')$$,
    '42601', null,
    'a definition that PostgreSQL refuses is refused'
);

set local role aqm_gateway_device;
select throws_ok(
    $$select ops.keep_trigger('public.noted', 'mine', 'before insert on public.noted execute function public.note()')$$,
    '42501', null,
    'no caller over HTTP may make one'
);

select * from finish();
rollback;
