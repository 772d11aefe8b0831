begin;
select plan(2);

select lives_ok($$select gateway.bust_cache('auth.find_company')$$, 'whoever changes what a function tells may say so');
set local role aqm_user;
select throws_ok(
    $$select gateway.bust_cache('auth.find_company')$$, '42501', null, 'a caller may not empty the gateways'' memory'
);

select * from finish();
rollback;
