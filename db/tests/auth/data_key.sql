begin;
select plan(18);

-- What a call without good keys is told: the words alone, and everything that goes with them.
create function pg_temp.refusal_with(p_setting text, p_version integer, out words text, out everything text)
language plpgsql
as $$
declare
    v_detail text;
    v_hint text;
    v_context text;
begin
    perform set_config('aqm.index_keys', p_setting, true);
    perform auth.data_key('index', p_version);
exception
    when sqlstate 'PT503' then
        get stacked diagnostics words = message_text, v_detail = pg_exception_detail, v_hint = pg_exception_hint,
            v_context = pg_exception_context;
        everything := concat_ws(' ', words, v_detail, v_hint, v_context);
end
$$;

select throws_ok(
    $$select auth.data_key('index', 1)$$, 'PT503', 'the index keys are missing',
    'a call without the keys is refused with one clear error'
);
select throws_ok(
    $$select auth.data_key('encryption', 1)$$, 'PT503', 'the encryption keys are missing',
    'which names the keys that are missing'
);
select matches(
    (select r.everything from pg_temp.refusal_with('', 1) as r), 'AQM_DATA_KEYS_FILE.*set aqm.index_keys',
    'and says where they come from, over HTTP and in psql'
);

select is((select r.words from pg_temp.refusal_with(bad.setting, 1) as r), bad.words, bad.description)
from (
    values
    (repeat('c5', 32), 'the index keys are malformed', 'a key has a version'),
    ('0:' || repeat('c5', 32), 'the index keys are malformed', 'versions begin at 1'),
    ('1:' || repeat('c5', 31), 'the index keys are malformed', 'a key cut short is refused'),
    ('1:' || repeat('c5', 33), 'the index keys are malformed', 'so is one that is too long'),
    ('1:' || repeat('c5', 31) || 'cg', 'the index keys are malformed', 'so is one with a wrong digit'),
    ('1:' || repeat('c5', 32) || ',2', 'the index keys are malformed', 'so is a list with a bad part'),
    ('1:' || repeat('c5', 32) || ',', 'the index keys are malformed', 'and one that goes on with nothing'),
    ('2:' || repeat('c5', 32), 'the index key 1 is missing', 'another version is not taken for the one asked for'),
    ('11:' || repeat('c5', 32), 'the index key 1 is missing', 'nor is one whose number ends like it')
) as bad (setting, words, description);

do $$ begin
    perform set_config('aqm.index_keys', format('1:%s, 120:%s,20:%s', repeat('A0', 32), repeat('0c', 32), repeat('0f', 32)), true);
end $$;
select is(
    auth.data_key('index', 1), decode(repeat('a0', 32), 'hex'),
    'a key is read in small letters and capitals'
);
select is(
    auth.data_key('index', 20), decode(repeat('0f', 32), 'hex'),
    'of several keys each is found by its version, blanks or not'
);
select lives_ok($$select auth.use_data_key('index', 1)$$, 'the first key comes into use');
do $$ begin perform set_config('aqm.encryption_keys', '1:' || repeat('e1', 32), true); end $$;
select is(
    auth.data_key('encryption', 1), decode(repeat('e1', 32), 'hex'),
    'the other kind''s first key is another'
);
select is(
    (select r.words from pg_temp.refusal_with('1:' || repeat('c5', 32), 1) as r),
    'the index key 1 is not the one that the data was written with',
    'a wrong key is noticed before it does harm'
);
select is_empty(
    $$select r.everything
    from unnest(array['1:', '1:c5', '0:', '2:', '']) as version,
        lateral pg_temp.refusal_with(version || repeat('c5', 32), 1) as r
    where r.everything is null or r.everything ~* 'c5c5'$$,
    'whatever is wrong, no message quotes a key'
);

select * from finish();
rollback;
