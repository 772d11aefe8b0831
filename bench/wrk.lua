-- wrk -s wrk.lua URL -- PATHS: walks over the paths in a file. It does not look into the answers, which would cost as
-- much as a quarter of what the server spends on them: the books in the database tell whether each was a coin.

local requests, place = {}, 0

function init(arguments)
    for path in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format("GET", path)
    end
end

function request()
    place = place % #requests + 1
    return requests[place]
end

function done(summary, latency)
    print("requests", summary.requests)
    print("microseconds", summary.duration)
    for _, percent in ipairs({50, 95, 99}) do
        print("p" .. percent, latency:percentile(percent))
    end
    print("fault status other than 200", summary.errors.status)
    for _, kind in ipairs({"connect", "read", "write", "timeout"}) do
        print("fault socket " .. kind, summary.errors[kind])
    end
end
