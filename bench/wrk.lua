-- wrk -s wrk.lua URL -- PATHS KEYS: walks over the paths in a file, looks into every answer, and writes the
-- key_id of each coin to another file when all is over, so that nothing is written while it measures.

local threads = {}

function setup(thread)
    threads[#threads + 1] = thread
end

local requests, place = {}, 0

function init(arguments)
    for path in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format("GET", path)
    end
    keys_path = arguments[2]
    keys, empty, statuses = {}, 0, {}
end

function request()
    place = place % #requests + 1
    return requests[place]
end

function response(status, _, body)
    local key = status == 200 and body:match('"key_id":"([^"]*)"')
    if key then
        keys[#keys + 1] = key
    elseif status == 200 then
        empty = empty + 1
    else
        statuses[status] = (statuses[status] or 0) + 1
    end
end

-- Runs in a Lua state of its own: what the thread knows must be fetched from it.
function done(summary, latency)
    local thread = threads[1]
    local file = assert(io.open(thread:get("keys_path"), "w"))
    for _, key in ipairs(thread:get("keys")) do
        file:write(key, "\n")
    end
    file:close()
    print("microseconds", summary.duration)
    for _, percent in ipairs({50, 95, 99}) do
        print("p" .. percent, latency:percentile(percent))
    end
    print("fault empty answer", thread:get("empty"))
    for status, count in pairs(thread:get("statuses")) do
        print("fault status " .. status, count)
    end
    for _, kind in ipairs({"connect", "read", "write", "timeout"}) do
        print("fault socket " .. kind, summary.errors[kind])
    end
end
