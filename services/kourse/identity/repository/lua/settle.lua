-- Gives a slot back with what came of the check, and locks as Keycloak's protector does.
-- KEYS: 1 lockout:<key>, 2 checking:<key>
-- ARGV: 1 slot, 2 outcome (right, wrong, dropped), 3 failure factor, 4 wait increment ms, 5 max wait ms,
--       6 max delta ms, 7 quick check ms, 8 min quick wait ms
-- Returns the milliseconds for which the account is locked from now on by this failure, else 0.
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] == 'dropped' then return 0 end
if ARGV[2] == 'right' then
  redis.call('DEL', KEYS[1])
  return 0
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'count', 'last', 'until')
if known[3] and tonumber(known[3]) > now then return 0 end

local count = tonumber(known[1] or 0)
local since = known[2] and now - tonumber(known[2]) or math.huge
if since > tonumber(ARGV[6]) then count = 0 end
count = count + 1

local wait = tonumber(ARGV[4]) * math.floor(count / tonumber(ARGV[3]))
if wait <= 0 and since < tonumber(ARGV[7]) then wait = tonumber(ARGV[8]) end
wait = math.min(wait, tonumber(ARGV[5]))

redis.call('HSET', KEYS[1], 'count', count, 'last', now, 'until', now + wait)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return wait
