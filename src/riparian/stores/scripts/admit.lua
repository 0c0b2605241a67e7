-- May these requests be served?  What riparian.gate.deciding does for one gate, for all gates at once.
--
-- Numbers are doubles here.  Each is whole and below 2^53, so that every sum, product and rounded quotient is exact;
-- whoever calls sees to it that no cap of a bucket is larger (riparian.stores.asked).
--
-- KEYS[1]  since when this server remembers, in microseconds since 1970; then, for each request, its account's key, and
--          its parent's where its flags say so.  All of one slot.
-- ARGV[1]  the terms, as doubles; ARGV[2]  32 bytes a request.
-- Returns  since when, and the time, as doubles; then for each request its answer (16 bits) and a wait (a double).
--
-- An account is a hash: `s` has until when its requests are paid for, the level and time of its bucket of recordings,
-- and of its bucket of rows.  What it had are codes of 30 bits: six name one of 64 fields, the rest is in there.
-- A parent is a string, the level and time of its bucket.

local DAY, UNKNOWN = 86400000000, -9223372036854775808
local WEEK, HISTORY, HOUSEHOLD = 7 * DAY, 28 * DAY, 6
local NONE, NOVELTY, PARENT, ROWS, LIMIT = 0, 2, 3, 4, 5
local WOULD, PREVIEW, MARKED, SLOWED, DREW = 8, 64, 128, 256, 512
local ADMIT, REMEMBER, PEEK = 0, 1, 2
local ASKED, EXEMPT, HAS_PARENT, PARENT_HERE, NO_PARENT_LEFT, MAY_PREVIEW = 1, 2, 4, 8, 16, 32
local call, pack, unpack_, find, sub, floor =
    redis.call, struct.pack, struct.unpack, string.find, string.sub, math.floor
local max, min, band = math.max, math.min, bit.band

local burst, per_day, rows_burst, rows_per_day, parent_cap, interval, requests, shadow, idle, at_gate, apart =
    unpack_('<ddddddddddd', ARGV[1])

local time = call('TIME')
local clock = time[1] * 1000000 + time[2]
if apart > 0 and (clock - at_gate > apart or at_gate - clock > apart) then
    return redis.error_reply('CLOCK of server and gate are too far apart')
end

local since = call('GET', KEYS[1])
if not since then
    since = string.format('%.0f', apart > 0 and clock or at_gate)
    call('SET', KEYS[1], since)
end
since = tonumber(since)

local shadowed = {}
for rule = NONE, 6 do shadowed[rule] = floor(shadow / 2 ^ rule) % 2 == 1 end

local function earned(age)
    age = min(max(age, 0), WEEK)
    return burst * floor(age / 14) + floor(burst * (age % 14) / 14)
end

local function filled(level, dt, rate, cap)
    if rate > 0 and dt > floor((cap - level) / rate) then return cap end
    return level + rate * dt
end

-- The bucket of recordings at a time: its level, and when that is.
local function refilled(level, at, now, created)
    local known = created ~= UNKNOWN
    if at == UNKNOWN or now > at then
        local grown = earned(known and now - created or WEEK)
        local cap = floor(burst * DAY / 2) + grown
        if at == UNKNOWN then return cap, now end
        if known then level = level + grown - earned(at - created) end
        return filled(min(level, cap), now - at, per_day, cap), now
    end
    return level, at
end

local function refilled_plain(level, at, now, rate, cap)
    if at == UNKNOWN then return cap, now end
    if now > at then return filled(min(level, cap), now - at, rate, cap), now end
    return level, at
end

local function missing(wanted, level, rate)
    if rate > 0 then return floor((wanted - level + rate - 1) / rate) end
    return DAY
end

local function read_parent(key, now)
    local level, at, kept = 0, UNKNOWN, call('GET', key)
    if kept then level, at = unpack_('<dd', kept) end
    return refilled_plain(level, at, now, HOUSEHOLD * per_day, parent_cap)
end

local function write_parent(key, level, at)
    if idle > 0 then
        call('SET', key, pack('<dd', level, at), 'EX', idle)
    else
        call('SET', key, pack('<dd', level, at))
    end
end

local function had(codes, code)
    local place = find(codes, code, 1, true)
    while place and place % 3 ~= 1 do place = find(codes, code, place + 1, true) end
    return place
end

local function answer(code, wait) return pack('<Hd', code, wait) end

local SERVED = answer(NONE, 0)

-- Once a day is often enough for an account not to be forgotten.
local function remember(key, paid, paid_next)
    if idle > 0 and floor(paid_next / DAY) ~= floor(paid / DAY) then call('EXPIRE', key, idle) end
end

-- A recording from the account's bucket and its parent's, from both or none.  Returns what refuses, the wait, and the
-- buckets as they are then; a parent in another slot has no key here (`up`), and was asked before.
local function draw(flags, people, up, now, created, level, at)
    local price = DAY / people
    level, at = refilled(level, at, now, created)
    if level < price then return NOVELTY, missing(price, level, per_day), level, at end
    local refused, wait, up_level, up_at = NONE, 0, nil, nil
    if band(flags, NO_PARENT_LEFT) ~= 0 then
        refused = PARENT
    elseif up then
        up_level, up_at = read_parent(up, now)
        if up_level < DAY then
            refused, wait, up_level = PARENT, missing(DAY, up_level, HOUSEHOLD * per_day), nil
        else
            up_level = up_level - DAY
        end
    end
    -- Served in shadow all the same, so that the account pays what it had.
    if refused == NONE or shadowed[PARENT] then level = level - price end
    return refused, wait, level, at, up_level, up_at
end

-- Rows of metadata, all or none.  Returns how long to wait, 0 where they were there, and the bucket.
local function draw_rows(n_rows, now, level, at)
    level, at = refilled_plain(level, at, now, rows_per_day, rows_burst * DAY)
    if n_rows > rows_burst then return DAY, level, at end
    if level < n_rows * DAY then return missing(n_rows * DAY, level, rows_per_day), level, at end
    return 0, level - n_rows * DAY, at
end

local function half_used(now, created, level, at)
    level, at = refilled(level, at, now, created)
    return 2 * level < floor(burst * DAY / 2) + earned(created ~= UNKNOWN and at - created or WEEK)
end

local function admit(key, up, flags, people, slowed, would, field, code, n_rows, now, created)
    local kept = call('HMGET', key, 's', field)
    local paid, level, at, rows_level, rows_at = 0, 0, UNKNOWN, 0, UNKNOWN
    if kept[1] then paid, level, at, rows_level, rows_at = unpack_('<ddddd', kept[1]) end
    local exempt, asked = band(flags, EXEMPT) ~= 0, band(flags, ASKED) ~= 0

    local most_ahead = now + requests * interval
    if paid > most_ahead then
        -- The clock went back: nobody has paid for more than a burst.
        paid = most_ahead
        kept[1] = pack('<d', paid) .. sub(kept[1], 9)
        call('HSET', key, 's', kept[1])
    end
    local paid_next = max(paid, now) + interval
    local ahead = paid_next - most_ahead
    if ahead > 0 then
        if not shadowed[LIMIT] then return answer(LIMIT, ahead) end
        if would == NONE then would = LIMIT end
    end

    local codes = kept[2] or ''
    local novel = asked and not had(codes, code)
    local rule, wait, extra = NONE, 0, 0
    local up_level, up_at
    if novel then
        -- Of an account that is older than all that is remembered here, nobody knows yet what it had: for a while its
        -- recordings are free, and while it is slowed, which would refuse them, they are charged.
        local untold = now < since + HISTORY and (created == UNKNOWN or created < since)
        if slowed ~= NONE and not untold then
            if not shadowed[slowed] then
                rule, extra = slowed, SLOWED
            elseif would == NONE then
                would = slowed
            end
        end
        if rule == NONE and not exempt and (slowed ~= NONE or not untold) then
            local refused
            refused, wait, level, at, up_level, up_at = draw(flags, people, up, now, created, level, at)
            if refused == NONE then
                if band(flags, HAS_PARENT) ~= 0 then extra = DREW end
            elseif not shadowed[refused] then
                rule = refused
            elseif would == NONE then
                would = refused
            end
        end
    end
    if rule == NONE and n_rows > 0 and not exempt then
        wait, rows_level, rows_at = draw_rows(n_rows, now, rows_level, rows_at)
        if wait > 0 then
            if not shadowed[ROWS] then
                rule, extra = ROWS, 0
            elseif would == NONE then
                would = ROWS
            end
        end
    end

    if rule ~= NONE then
        if band(flags, MAY_PREVIEW) == 0 or rule == ROWS then return answer(rule + extra, wait) end
        -- A preview costs a request and nothing else: the rest stays as it was.
        local rest = kept[1] and sub(kept[1], 9) or pack('<dddd', 0, UNKNOWN, 0, UNKNOWN)
        call('HSET', key, 's', pack('<d', paid_next) .. rest)
        remember(key, paid, paid_next)
        return answer(rule + extra + PREVIEW, wait)
    end

    local state = pack('<ddddd', paid_next, level, at, rows_level, rows_at)
    if novel then
        call('HSET', key, 's', state, field, codes .. code)
    else
        call('HSET', key, 's', state)
    end
    remember(key, paid, paid_next)
    if up_level then write_parent(up, up_level, up_at) end
    if asked and not exempt and not shadowed[NOVELTY] and half_used(now, created, level, at) then
        extra = extra + MARKED
    end
    if would == NONE and extra == 0 then return SERVED end
    return answer(would * WOULD + extra, 0)
end

local asked, place, n_key, out = ARGV[2], 1, 2, { pack('<dd', since, apart > 0 and clock or at_gate) }
for i = 2, #asked / 32 + 1 do
    local flags, op, people, slowed, would, field, code, n_rows, now, created
    flags, op, people, slowed, would, field, code, n_rows, now, created, place =
        unpack_('<BBBBBxxxc1c3I4dd', asked, place)
    if apart > 0 then now = clock end
    local key, up = KEYS[n_key], nil
    n_key = n_key + 1
    if op == ADMIT then
        -- In another slot the parent has no key here: it was asked before, and is charged afterwards.
        if band(flags, PARENT_HERE) ~= 0 then
            up = KEYS[n_key]
            n_key = n_key + 1
        end
        out[i] = admit(key, up, flags, people, slowed, would, field, code, n_rows, now, created)
    elseif op == REMEMBER then
        local codes = call('HGET', key, field) or ''
        if not had(codes, code) then call('HSET', key, field, codes .. code) end
        if idle > 0 then call('EXPIRE', key, idle) end
        out[i] = SERVED
    else
        local level, at = read_parent(key, now)
        if op == PEEK then
            out[i] = level < DAY and answer(PARENT, missing(DAY, level, HOUSEHOLD * per_day)) or SERVED
        else
            write_parent(key, level - DAY, at)
            out[i] = SERVED
        end
    end
end
return table.concat(out)
