begin;
select plan(7);

select is(auth.password_cost(), 10, 'without a setting a hash costs 1024 rounds');

create function pg_temp.cost_at(p_setting text)
returns integer
language plpgsql
as $$
begin
    perform set_config('aqm.password_cost', p_setting, true);
    return auth.password_cost();
end
$$;
select is(pg_temp.cost_at(costs.setting), costs.cost, costs.description)
from (
    values
    ('', 10, 'an empty setting is none'),
    ('12', 12, 'an operator may make hashes dearer'),
    ('4', 10, 'and never cheaper'),
    ('-1', 10, 'not even by mistake'),
    ('99', 31, 'bcrypt knows no more than 31')
) as costs (setting, cost, description);
set local "aqm.password_cost" = 'much';
select throws_ok('select auth.password_cost()', '22P02', null, 'a setting that is no number is not taken for one');

select * from finish();
rollback;
