#!lua name=aqm
-- Every operation of a store is one function: Redis runs nothing else meanwhile, so caps and burns can't race.
-- KEYS[1] is the prefix of all keys, as aqm:1:. Times are milliseconds by the device's clock; Redis's own is only used
-- to let keys expire by themselves. Keys under the prefix:
--   header                                the master key, encrypted
--   key:{key_id}                          hash: state, category, sealed, expires_at; burned ones have no sealed
--   idx:vault:{category}                  sorted set of active keys by expiry: counting them needs no SCAN
--   contacts                              hash: priority by contact
--   idx:contacts                          sorted set of contacts by the time of use
--   budget:{priority}                     hash: how many by category
--   coin:{contact_id}:{key_id}            hash: public_key, signature, category
--   idx:inventory:{contact_id}:{category} sorted set of coins in the order of storing
--   idx:taken:{contact_id}                sorted set of used coins by when they may be forgotten
--   sequence                              the last coin's place in that order

local CATEGORIES = {'GOLD', 'SILVER', 'BRONZE'}

local function inventory(prefix, contact_id, category)
    return prefix .. 'idx:inventory:' .. contact_id .. ':' .. category
end

local function put_key(keys, args)
    local key_id, category, sealed, expires_at, now = unpack(args)
    local key = keys[1] .. 'key:' .. key_id
    local known = redis.call('HGET', key, 'expires_at')
    if known and tonumber(known) > tonumber(now) then return 0 end
    redis.call('DEL', key)
    redis.call('HSET', key, 'state', 'ACTIVE', 'category', category, 'sealed', sealed, 'expires_at', expires_at)
    redis.call('PEXPIRE', key, expires_at - now)
    redis.call('ZADD', keys[1] .. 'idx:vault:' .. category, expires_at, key_id)
    return 1
end

local function active(key, now)
    local state, category, sealed, expires_at =
        unpack(redis.call('HMGET', key, 'state', 'category', 'sealed', 'expires_at'))
    if state == 'ACTIVE' and tonumber(expires_at) > tonumber(now) then return category, sealed end
end

local function get_key(keys, args)
    local category, sealed = active(keys[1] .. 'key:' .. args[1], args[2])
    if category then return {category, sealed} end
end

local function burn_key(keys, args)
    local key_id, now, until_ = unpack(args)
    local key = keys[1] .. 'key:' .. key_id
    local category = active(key, now)
    if not category then return 0 end
    redis.call('HSET', key, 'state', 'BURNED', 'expires_at', until_)
    redis.call('HDEL', key, 'sealed')
    redis.call('PEXPIRE', key, until_ - now)
    redis.call('ZREM', keys[1] .. 'idx:vault:' .. category, key_id)
    return 1
end

local function purge_keys(keys, args)
    local now, limit = unpack(args)
    for _, category in ipairs(CATEGORIES) do
        local index = keys[1] .. 'idx:vault:' .. category
        local expired = redis.call('ZRANGE', index, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)
        for _, key_id in ipairs(expired) do
            local key = keys[1] .. 'key:' .. key_id
            local expires_at = redis.call('HGET', key, 'expires_at')
            -- Its name may have been stored again, in another category.
            if expires_at and tonumber(expires_at) <= tonumber(now) then redis.call('DEL', key) end
            redis.call('ZREM', index, key_id)
        end
        if #expired > 0 then return #expired end
    end
    return 0
end

local function count_keys(keys, args)
    local counts = {}
    for place, category in ipairs(CATEGORIES) do
        counts[place] = redis.call('ZCOUNT', keys[1] .. 'idx:vault:' .. category, '(' .. args[1], '+inf')
    end
    return counts
end

local function room(prefix, contact_id, category)
    local priority = redis.call('HGET', prefix .. 'contacts', contact_id) or 'STRANGER'
    local budget = redis.call('HGET', prefix .. 'budget:' .. priority, category)
    return math.max(0, (tonumber(budget) or 0) - redis.call('ZCARD', inventory(prefix, contact_id, category)))
end

local function add_coin(prefix, contact_id, coin, sequence)
    local category, key_id, public_key, signature = unpack(coin)
    redis.call('HSET', prefix .. 'coin:' .. contact_id .. ':' .. key_id,
        'category', category, 'public_key', public_key, 'signature', signature)
    redis.call('ZADD', inventory(prefix, contact_id, category), sequence, key_id)
end

local function put_coin(keys, args)
    local contact_id, now, category, key_id = unpack(args)
    local prefix = keys[1]
    local taken = redis.call('ZSCORE', prefix .. 'idx:taken:' .. contact_id, key_id)
    if taken and tonumber(taken) > tonumber(now) then return 'DUPLICATE' end
    if redis.call('EXISTS', prefix .. 'coin:' .. contact_id .. ':' .. key_id) == 1 then return 'DUPLICATE' end
    if room(prefix, contact_id, category) == 0 then return 'OVER_BUDGET' end
    if redis.call('HSETNX', prefix .. 'contacts', contact_id, 'STRANGER') == 1 then
        redis.call('ZADD', prefix .. 'idx:contacts', now, contact_id)
    end
    add_coin(prefix, contact_id, {unpack(args, 3)}, redis.call('INCR', prefix .. 'sequence'))
    return 'STORED'
end

local function take_coin(keys, args)
    local contact_id, now, until_ = unpack(args)
    local prefix = keys[1]
    if redis.call('HEXISTS', prefix .. 'contacts', contact_id) == 0 then return nil end
    redis.call('ZADD', prefix .. 'idx:contacts', now, contact_id)
    for place = 4, #args do
        local key_id, sequence = unpack(redis.call('ZPOPMIN', inventory(prefix, contact_id, args[place])))
        if key_id then
            local key = prefix .. 'coin:' .. contact_id .. ':' .. key_id
            local public_key, signature = unpack(redis.call('HMGET', key, 'public_key', 'signature'))
            redis.call('DEL', key)
            local taken = prefix .. 'idx:taken:' .. contact_id
            redis.call('ZREMRANGEBYSCORE', taken, '-inf', now)
            redis.call('ZADD', taken, until_, key_id)
            redis.call('PEXPIRE', taken, until_ - now)
            return {args[place], key_id, public_key, signature, sequence}
        end
    end
end

local function return_coin(keys, args)
    local contact_id, sequence, category, key_id = unpack(args)
    local prefix = keys[1]
    if redis.call('HEXISTS', prefix .. 'contacts', contact_id) == 0 then return 0 end
    if room(prefix, contact_id, category) == 0 then return 0 end
    redis.call('ZREM', prefix .. 'idx:taken:' .. contact_id, key_id)
    add_coin(prefix, contact_id, {unpack(args, 3)}, sequence)
    return 1
end

local function count_coins(keys, args)
    local counts = {}
    for place, category in ipairs(CATEGORIES) do
        counts[place] = redis.call('ZCARD', inventory(keys[1], args[1], category))
    end
    return counts
end

local function all_room(keys, args)
    local counts = {}
    for place, category in ipairs(CATEGORIES) do
        counts[place] = room(keys[1], args[1], category)
    end
    return counts
end

-- Keeps the oldest coins of a category; returns how many went.
local function keep(prefix, contact_id, category, count)
    local index = inventory(prefix, contact_id, category)
    local surplus = redis.call('ZRANGE', index, count, -1)
    for _, key_id in ipairs(surplus) do
        redis.call('DEL', prefix .. 'coin:' .. contact_id .. ':' .. key_id)
        redis.call('ZREM', index, key_id)
    end
    return #surplus
end

local function remove(prefix, contact_id)
    local removed = 0
    for _, category in ipairs(CATEGORIES) do
        removed = removed + keep(prefix, contact_id, category, 0)
    end
    redis.call('DEL', prefix .. 'idx:taken:' .. contact_id)
    redis.call('HDEL', prefix .. 'contacts', contact_id)
    redis.call('ZREM', prefix .. 'idx:contacts', contact_id)
    return removed
end

local function remove_contact(keys, args)
    return remove(keys[1], args[1])
end

local function collect(keys, args)
    local before, limit = unpack(args)
    local unused = redis.call('ZRANGE', keys[1] .. 'idx:contacts', '-inf', before, 'BYSCORE', 'LIMIT', 0, limit)
    for _, contact_id in ipairs(unused) do remove(keys[1], contact_id) end
    return unused
end

local function set_priority(keys, args)
    local contact_id, priority, now = unpack(args)
    local prefix = keys[1]
    if redis.call('EXISTS', prefix .. 'budget:' .. priority) == 0 then return nil end
    redis.call('HSET', prefix .. 'contacts', contact_id, priority)
    redis.call('ZADD', prefix .. 'idx:contacts', now, contact_id)
    local removed = 0
    for _, category in ipairs(CATEGORIES) do
        removed = removed + keep(prefix, contact_id, category, redis.call('HGET', prefix .. 'budget:' .. priority, category))
    end
    return removed
end

local function set_budget(keys, args)
    for place, category in ipairs(CATEGORIES) do
        redis.call('HSET', keys[1] .. 'budget:' .. args[1], category, args[place + 1])
    end
end

-- Renames what another prefix has; returns the cursor for the next part.
local function migrate(keys, args)
    local old, cursor, limit = unpack(args)
    local found = redis.call('SCAN', cursor, 'MATCH', old .. '*', 'COUNT', limit)
    for _, key in ipairs(found[2]) do
        -- The header goes last: while it is at the old place, the rest is not all at the new one.
        if key ~= old .. 'header' then redis.call('RENAMENX', key, keys[1] .. string.sub(key, #old + 1)) end
    end
    if found[1] == '0' then redis.call('RENAMENX', old .. 'header', keys[1] .. 'header') end
    return found[1]
end

-- Redis offers no pairs() while a library is loaded.
local function register(flags, functions)
    for place = 1, #functions, 2 do
        redis.register_function{function_name = functions[place], callback = functions[place + 1], flags = flags}
    end
end

register({'no-writes'}, {
    'aqm_get_key', get_key, 'aqm_count_keys', count_keys, 'aqm_count_coins', count_coins, 'aqm_room', all_room,
})
register({}, {
    'aqm_put_key', put_key, 'aqm_put_coin', put_coin, 'aqm_return_coin', return_coin, 'aqm_set_budget', set_budget,
    'aqm_migrate', migrate,
})
-- What makes room must work when there is none.
register({'allow-oom'}, {
    'aqm_burn_key', burn_key, 'aqm_purge_keys', purge_keys, 'aqm_take_coin', take_coin, 'aqm_collect', collect,
    'aqm_remove_contact', remove_contact, 'aqm_set_priority', set_priority,
})
