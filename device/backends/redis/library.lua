#!lua name=aqm_2
-- Every operation of a store is one function: Redis runs nothing else meanwhile, so caps and burns can't race.
-- KEYS[1] is the prefix of all keys, as aqm:2:. ARGV[1] says whose store the caller has opened: another's is refused.
-- Library and functions carry the version in their names, so that programs of two versions don't overwrite each other's.
-- Times are milliseconds by the device's clock; Redis's own is only used to let keys expire by themselves, GRACE late,
-- since a clock that jumps ahead must cost no key. Beside the prefix, aqm:version is that of the records. Under it:
--   header                                the master key, encrypted
--   identity                              whose store it is: the same for all headers of one master key
--   clock                                 the highest time seen
--   uncleaned                             counts what left the records and not yet the append-only file
--   key:{key_id}                          hash: state, category, sealed, expires_at, stored_at, is_last_resort; burned
--                                         ones have no sealed
--   idx:vault:{category}                  sorted set of active keys by expiry: counting them needs no SCAN
--   idx:vault:LAST_RESORT                 the same for those of last resort
--   idx:stored                            sorted set of active keys, all of score 0: {time of storing}:{key_id}
--   contacts                              hash: priority by contact
--   idx:contacts                          sorted set of contacts by the time of use
--   budget:{priority}                     hash: how many by category
--   coin:{contact_id}:{key_id}            hash: public_key, signature, category, digest
--   idx:inventory:{contact_id}:{category} sorted set of coins in the order of storing
--   idx:minted:{contact_id}:{category}    sorted set of the same coins by when they were minted
--   idx:ages:{category}                   sorted set of all contacts' coins, {contact_id}:{key_id}, by when they were minted
--   idx:digests:{contact_id}              set of their public keys' digests
--   idx:taken:{contact_id}                sorted set of used coins, names and digests, by when they may be forgotten; and
--                                         marks of those that a sender took from the server
--   sequence                              the last coin's place in that order

local CATEGORIES = {'GOLD', 'SILVER', 'BRONZE'}
local VERSION = 2
local NAME = 'aqm_2_'
local GRACE = 60 * 24 * 60 * 60 * 1000
local LIFETIME = 30 * 24 * 60 * 60 * 1000

local function inventory(prefix, contact_id, category)
    return prefix .. 'idx:inventory:' .. contact_id .. ':' .. category
end

local function minted(prefix, contact_id, category)
    return prefix .. 'idx:minted:' .. contact_id .. ':' .. category
end

local function ages(prefix, category)
    return prefix .. 'idx:ages:' .. category
end

local function expire(key, at, now)
    redis.call('PEXPIRE', key, at - now + GRACE)
end

-- Where a key is in idx:stored: sorted sets of one score are sorted by their members.
local function place_of(stored_at, key_id)
    return string.format('%015d:%s', stored_at or 0, key_id)
end

local function add_to_indexes(prefix, key_id, category, expires_at, stored_at, is_last_resort)
    if is_last_resort == '1' then category = 'LAST_RESORT' end
    redis.call('ZADD', prefix .. 'idx:vault:' .. category, expires_at, key_id)
    redis.call('ZADD', prefix .. 'idx:stored', 0, place_of(stored_at, key_id))
end

local function put_key(keys, args)
    local key_id, category, sealed, expires_at, now, is_last_resort = unpack(args)
    local key = keys[1] .. 'key:' .. key_id
    local known, stored_at = unpack(redis.call('HMGET', key, 'expires_at', 'stored_at'))
    if known and tonumber(known) > tonumber(now) then return 0 end
    if stored_at then redis.call('ZREM', keys[1] .. 'idx:stored', place_of(stored_at, key_id)) end
    redis.call('DEL', key)
    redis.call('HSET', key, 'state', 'ACTIVE', 'category', category, 'sealed', sealed, 'expires_at', expires_at,
        'stored_at', now, 'is_last_resort', is_last_resort)
    expire(key, expires_at, now)
    add_to_indexes(keys[1], key_id, category, expires_at, now, is_last_resort)
    return 1
end

local function active(key, now)
    local state, category, sealed, expires_at, stored_at, is_last_resort =
        unpack(redis.call('HMGET', key, 'state', 'category', 'sealed', 'expires_at', 'stored_at', 'is_last_resort'))
    if state == 'ACTIVE' and tonumber(expires_at) > tonumber(now) then
        return category, sealed, stored_at, is_last_resort
    end
end

local function get_key(keys, args)
    local category, sealed, _, is_last_resort = active(keys[1] .. 'key:' .. args[1], args[2])
    if category then return {category, sealed, is_last_resort} end
end

-- One batch: where the next one begins, then four values for each key.
local function list_keys(keys, args)
    local now, after, before, limit = unpack(args)
    local last = '+'
    if before ~= '' then last = '(' .. string.format('%015d', before) end
    local places = redis.call('ZRANGE', keys[1] .. 'idx:stored', after, last, 'BYLEX', 'LIMIT', 0, limit)
    local found = {''}
    for _, place in ipairs(places) do
        found[1] = '(' .. place
        local key_id = string.sub(place, 17)
        local category, _, stored_at, is_last_resort = active(keys[1] .. 'key:' .. key_id, now)
        if category then
            for _, value in ipairs({key_id, category, stored_at, is_last_resort}) do table.insert(found, value) end
        end
    end
    return found
end

local function burn_key(keys, args)
    local key_id, now, until_ = unpack(args)
    local key = keys[1] .. 'key:' .. key_id
    local category, _, stored_at, is_last_resort = active(key, now)
    if not category then return 0 end
    if is_last_resort == '1' then category = 'LAST_RESORT' end
    redis.call('HSET', key, 'state', 'BURNED', 'expires_at', until_)
    redis.call('HDEL', key, 'sealed')
    expire(key, until_, now)
    redis.call('ZREM', keys[1] .. 'idx:vault:' .. category, key_id)
    redis.call('ZREM', keys[1] .. 'idx:stored', place_of(stored_at, key_id))
    redis.call('INCR', keys[1] .. 'uncleaned')
    return 1
end

local function purge_keys(keys, args)
    local now, limit = unpack(args)
    for _, category in ipairs({'GOLD', 'SILVER', 'BRONZE', 'LAST_RESORT'}) do
        local index = keys[1] .. 'idx:vault:' .. category
        local expired = redis.call('ZRANGE', index, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)
        for _, key_id in ipairs(expired) do
            local key = keys[1] .. 'key:' .. key_id
            local expires_at, stored_at = unpack(redis.call('HMGET', key, 'expires_at', 'stored_at'))
            -- Its name may have been stored again, in another category.
            if expires_at and tonumber(expires_at) <= tonumber(now) then
                redis.call('DEL', key)
                redis.call('ZREM', keys[1] .. 'idx:stored', place_of(stored_at, key_id))
            end
            redis.call('ZREM', index, key_id)
        end
        if #expired > 0 then
            redis.call('INCR', keys[1] .. 'uncleaned')
            return #expired
        end
    end
    -- Of keys that Redis let expire itself, when nobody purged.
    redis.call('ZREMRANGEBYLEX', keys[1] .. 'idx:stored', '-', '(' .. string.format('%015d', math.max(0, now - LIFETIME - GRACE)))
    return 0
end

local function count_keys(keys, args)
    local counts = {}
    for place, category in ipairs(CATEGORIES) do
        counts[place] = redis.call('ZCOUNT', keys[1] .. 'idx:vault:' .. category, '(' .. args[1], '+inf')
    end
    return counts
end

local function count(prefix, contact_id, category, since)
    return redis.call('ZCOUNT', minted(prefix, contact_id, category), since, '+inf')
end

local function room(prefix, contact_id, category, since)
    local priority = redis.call('HGET', prefix .. 'contacts', contact_id) or 'STRANGER'
    local budget = redis.call('HGET', prefix .. 'budget:' .. priority, category)
    return math.max(0, (tonumber(budget) or 0) - count(prefix, contact_id, category, since))
end

-- coin: category, key_id, public_key, signature, digest, minted_at
local function add_coin(prefix, contact_id, coin, sequence)
    local category, key_id, public_key, signature, digest, minted_at = unpack(coin)
    redis.call('HSET', prefix .. 'coin:' .. contact_id .. ':' .. key_id,
        'public_key', public_key, 'signature', signature, 'category', category, 'digest', digest)
    redis.call('ZADD', inventory(prefix, contact_id, category), sequence, key_id)
    redis.call('ZADD', minted(prefix, contact_id, category), minted_at, key_id)
    redis.call('ZADD', ages(prefix, category), minted_at, contact_id .. ':' .. key_id)
    redis.call('SADD', prefix .. 'idx:digests:' .. contact_id, digest)
end

local function drop_coin(prefix, contact_id, category, key_id)
    local key = prefix .. 'coin:' .. contact_id .. ':' .. key_id
    local digest = redis.call('HGET', key, 'digest')
    if digest then redis.call('SREM', prefix .. 'idx:digests:' .. contact_id, digest) end
    redis.call('DEL', key)
    redis.call('ZREM', inventory(prefix, contact_id, category), key_id)
    redis.call('ZREM', minted(prefix, contact_id, category), key_id)
    redis.call('ZREM', ages(prefix, category), contact_id .. ':' .. key_id)
end

local function drop_stale(prefix, contact_id, stale)
    for _, category in ipairs(CATEGORIES) do
        local index = minted(prefix, contact_id, category)
        for _, key_id in ipairs(redis.call('ZRANGE', index, '-inf', '(' .. stale, 'BYSCORE')) do
            drop_coin(prefix, contact_id, category, key_id)
        end
    end
end

local function is_taken(prefix, contact_id, name, now)
    local taken = redis.call('ZSCORE', prefix .. 'idx:taken:' .. contact_id, name)
    return taken and tonumber(taken) > tonumber(now)
end

-- Whether a coin is cached, or was taken and may not come again, under this name or another.
local function is_known(prefix, contact_id, key_id, digest, now)
    return is_taken(prefix, contact_id, key_id, now) or is_taken(prefix, contact_id, digest, now)
        or redis.call('EXISTS', prefix .. 'coin:' .. contact_id .. ':' .. key_id) == 1
        or redis.call('SISMEMBER', prefix .. 'idx:digests:' .. contact_id, digest) == 1
end

-- Who is not known yet is a stranger.
local function meet(prefix, contact_id, now)
    if redis.call('HSETNX', prefix .. 'contacts', contact_id, 'STRANGER') == 1 then
        redis.call('ZADD', prefix .. 'idx:contacts', now, contact_id)
    end
end

local function note_taken(prefix, contact_id, names, now, until_, stale)
    local taken = prefix .. 'idx:taken:' .. contact_id
    -- Not by now, which may have jumped ahead.
    redis.call('ZREMRANGEBYSCORE', taken, '-inf', stale)
    for _, name in ipairs(names) do redis.call('ZADD', taken, until_, name) end
    expire(taken, until_, now)
end

local function note_coin(keys, args)
    local contact_id, now, until_, stale, key_id, digest, mark = unpack(args)
    local prefix = keys[1]
    if mark ~= '' and is_taken(prefix, contact_id, mark, now) then return 1 end
    if is_known(prefix, contact_id, key_id, digest, now) then return 0 end
    meet(prefix, contact_id, now)
    local names = {key_id, digest}
    if mark ~= '' then table.insert(names, mark) end
    note_taken(prefix, contact_id, names, now, until_, stale)
    return 1
end

local function put_coin(keys, args)
    local contact_id, now, since, stale, category, key_id, _, _, digest = unpack(args)
    local prefix = keys[1]
    if is_known(prefix, contact_id, key_id, digest, now) then return 'DUPLICATE' end
    if room(prefix, contact_id, category, since) == 0 then return 'OVER_BUDGET' end
    drop_stale(prefix, contact_id, stale)
    meet(prefix, contact_id, now)
    add_coin(prefix, contact_id, {unpack(args, 5)}, redis.call('INCR', prefix .. 'sequence'))
    return 'STORED'
end

-- The names of a category's coins that are of use, oldest first; at most so many.
local function fresh(prefix, contact_id, category, since, limit)
    local found = {}
    for _, key_id in ipairs(redis.call('ZRANGE', inventory(prefix, contact_id, category), 0, -1)) do
        local minted_at = redis.call('ZSCORE', minted(prefix, contact_id, category), key_id)
        if minted_at and tonumber(minted_at) >= tonumber(since) then
            table.insert(found, key_id)
            if #found == limit then break end
        end
    end
    return found
end

local function take_coin(keys, args)
    local contact_id, now, until_, since, stale = unpack(args)
    local prefix = keys[1]
    if redis.call('HEXISTS', prefix .. 'contacts', contact_id) == 0 then return nil end
    redis.call('ZADD', prefix .. 'idx:contacts', now, contact_id)
    drop_stale(prefix, contact_id, stale)
    for place = 6, #args do
        local category = args[place]
        local key_id = fresh(prefix, contact_id, category, since, 1)[1]
        if key_id then
            local public_key, signature, digest = unpack(redis.call('HMGET',
                prefix .. 'coin:' .. contact_id .. ':' .. key_id, 'public_key', 'signature', 'digest'))
            local sequence = redis.call('ZSCORE', inventory(prefix, contact_id, category), key_id)
            local minted_at = redis.call('ZSCORE', minted(prefix, contact_id, category), key_id)
            drop_coin(prefix, contact_id, category, key_id)
            note_taken(prefix, contact_id, {key_id, digest}, now, until_, stale)
            return {category, key_id, public_key, signature, sequence, minted_at}
        end
    end
end

local function return_coin(keys, args)
    local contact_id, sequence, since, category, key_id, _, _, digest = unpack(args)
    local prefix = keys[1]
    if redis.call('HEXISTS', prefix .. 'contacts', contact_id) == 0 then return 0 end
    if room(prefix, contact_id, category, since) == 0 then return 0 end
    redis.call('ZREM', prefix .. 'idx:taken:' .. contact_id, key_id, digest)
    add_coin(prefix, contact_id, {unpack(args, 4)}, sequence)
    return 1
end

local function count_coins(keys, args)
    local counts = {}
    for place, category in ipairs(CATEGORIES) do
        counts[place] = count(keys[1], args[1], category, args[2])
    end
    return counts
end

local function count_all(keys, args)
    local counts = {}
    for place, category in ipairs(CATEGORIES) do
        counts[place] = redis.call('ZCOUNT', ages(keys[1], category), args[1], '+inf')
    end
    return counts
end

local function all_room(keys, args)
    local counts = {}
    for place, category in ipairs(CATEGORIES) do
        counts[place] = room(keys[1], args[1], category, args[2])
    end
    return counts
end

local function remove(prefix, contact_id)
    local removed = 0
    for _, category in ipairs(CATEGORIES) do
        for _, key_id in ipairs(redis.call('ZRANGE', inventory(prefix, contact_id, category), 0, -1)) do
            drop_coin(prefix, contact_id, category, key_id)
            removed = removed + 1
        end
    end
    redis.call('DEL', prefix .. 'idx:taken:' .. contact_id)
    redis.call('HDEL', prefix .. 'contacts', contact_id)
    redis.call('ZREM', prefix .. 'idx:contacts', contact_id)
    return removed
end

local function remove_contact(keys, args)
    return remove(keys[1], args[1])
end

-- One batch; returns how many coins that were. A contact's name has no colon.
local function drop_all_stale(keys, args)
    local stale, limit = unpack(args)
    local dropped = 0
    for _, category in ipairs(CATEGORIES) do
        local found =
            redis.call('ZRANGE', ages(keys[1], category), '-inf', '(' .. stale, 'BYSCORE', 'LIMIT', 0, limit - dropped)
        for _, coin in ipairs(found) do
            local contact_id, key_id = string.match(coin, '^([^:]*):(.*)$')
            drop_coin(keys[1], contact_id, category, key_id)
        end
        dropped = dropped + #found
    end
    return dropped
end

local function collect(keys, args)
    local before, limit = unpack(args)
    local unused = redis.call('ZRANGE', keys[1] .. 'idx:contacts', '-inf', before, 'BYSCORE', 'LIMIT', 0, limit)
    for _, contact_id in ipairs(unused) do remove(keys[1], contact_id) end
    return unused
end

local function set_priority(keys, args)
    local contact_id, priority, now, since = unpack(args)
    local prefix = keys[1]
    if redis.call('EXISTS', prefix .. 'budget:' .. priority) == 0 then return nil end
    redis.call('HSET', prefix .. 'contacts', contact_id, priority)
    redis.call('ZADD', prefix .. 'idx:contacts', now, contact_id)
    local removed = 0
    for _, category in ipairs(CATEGORIES) do
        local kept = tonumber(redis.call('HGET', prefix .. 'budget:' .. priority, category))
        for place, key_id in ipairs(fresh(prefix, contact_id, category, since, nil)) do
            if place > kept then
                drop_coin(prefix, contact_id, category, key_id)
                removed = removed + 1
            end
        end
    end
    return removed
end

local function set_budget(keys, args)
    for place, category in ipairs(CATEGORIES) do
        redis.call('HSET', keys[1] .. 'budget:' .. args[1], category, args[place + 1])
    end
end

local function highest_time(keys)
    return redis.call('GET', keys[1] .. 'clock') or 0
end

local function set_highest_time(keys, args)
    local now, is_certain = unpack(args)
    if is_certain == '1' or tonumber(highest_time(keys)) < tonumber(now) then
        redis.call('SET', keys[1] .. 'clock', now)
    end
end

local function uncleaned(keys)
    return redis.call('GET', keys[1] .. 'uncleaned')
end

-- What was burned meanwhile needs another rewriting.
local function cleaned(keys, args)
    if uncleaned(keys) ~= args[1] then return 0 end
    redis.call('DEL', keys[1] .. 'uncleaned')
    return 1
end

-- Says that the records are of this version from now on, unless they are of a newer one.
local function begin(keys)
    local version = tonumber(redis.call('GET', 'aqm:version') or 0)
    if version > VERSION then return redis.error_reply('NEWER the records are of a newer version') end
    redis.call('SET', 'aqm:version', VERSION)
end

-- The header, made from the arguments when the store is new.
local function open(keys, args)
    local header = redis.call('GET', keys[1] .. 'header')
    if header or #args == 0 then return header end
    for _, key in ipairs({'identity', 'idx:stored', 'contacts', 'clock'}) do
        if redis.call('EXISTS', keys[1] .. key) == 1 then
            return redis.error_reply('HEADERLESS there are records without a header')
        end
    end
    redis.call('SET', keys[1] .. 'identity', args[2])
    redis.call('SET', keys[1] .. 'header', args[1])
    return args[1]
end

-- Whose store this is; headers from before version 2 did not say.
local function identify(keys, args)
    redis.call('SETNX', keys[1] .. 'identity', args[1])
    return redis.call('GET', keys[1] .. 'identity')
end

local function change_header(keys, args)
    if redis.call('GET', keys[1] .. 'header') ~= args[1] then return 0 end
    redis.call('SET', keys[1] .. 'header', args[2])
    redis.call('INCR', keys[1] .. 'uncleaned')
    return 1
end

-- Moves a part of what version 1 has; returns the cursor for the next part. Its coins don't say when they were minted:
-- they go.
local function migrate(keys, args)
    local cursor, limit = unpack(args)
    local old, new = 'aqm:1:', keys[1]
    -- A program of version 1 that opens the store meanwhile looks for this.
    local header = redis.call('GET', old .. 'header')
    if header then redis.call('SETNX', new .. 'header', header) end
    local found = redis.call('SCAN', cursor, 'MATCH', old .. '*', 'COUNT', limit)
    for _, key in ipairs(found[2]) do
        local name = string.sub(key, #old + 1)
        if string.find(name, '^coin:') or string.find(name, '^idx:inventory:') or string.find(name, '^idx:vault:') then
            redis.call('DEL', key)
        elseif name ~= 'header' and redis.call('EXISTS', key) == 1 then
            if redis.call('RENAMENX', key, new .. name) == 0 then redis.call('DEL', key) end
            local key_id = string.match(name, '^key:(.*)')
            if key_id then
                local state, category, expires_at =
                    unpack(redis.call('HMGET', new .. name, 'state', 'category', 'expires_at'))
                local stored_at = math.max(0, expires_at - LIFETIME)
                set_highest_time(keys, {stored_at, '0'})
                redis.call('HSET', new .. name, 'stored_at', stored_at, 'is_last_resort', '0')
                if state == 'ACTIVE' then add_to_indexes(new, key_id, category, expires_at, stored_at, '0') end
            end
        end
    end
    -- Last: while it is there, the rest is not all moved.
    if found[1] == '0' then redis.call('DEL', old .. 'header') end
    return found[1]
end

-- Redis offers no pairs() while a library is loaded.
local function register(flags, functions, is_opening)
    for place = 1, #functions, 2 do
        local work = functions[place + 1]
        redis.register_function{function_name = NAME .. functions[place], flags = flags, callback = function(keys, args)
            if is_opening then return work(keys, args) end
            -- Under another master key nothing that is written could be read again.
            if redis.call('GET', keys[1] .. 'identity') ~= args[1] then
                return redis.error_reply('ANOTHER store is here now')
            end
            return work(keys, {unpack(args, 2)})
        end}
    end
end

register({'no-writes'}, {
    'get_key', get_key, 'list_keys', list_keys, 'count_keys', count_keys, 'count_coins', count_coins,
    'count_all', count_all, 'room', all_room, 'highest_time', highest_time, 'uncleaned', uncleaned,
})
register({}, {
    'put_key', put_key, 'put_coin', put_coin, 'note_coin', note_coin, 'return_coin', return_coin, 'set_budget', set_budget,
})
-- What makes room must work when there is none.
register({'allow-oom'}, {
    'burn_key', burn_key, 'purge_keys', purge_keys, 'take_coin', take_coin, 'collect', collect,
    'drop_all_stale', drop_all_stale, 'remove_contact', remove_contact, 'set_priority', set_priority,
    'set_highest_time', set_highest_time, 'cleaned', cleaned,
})
register({}, {
    'begin', begin, 'open', open, 'identify', identify, 'change_header', change_header, 'migrate', migrate,
}, true)
