-- Takes a slot for one password check, before the costly hash, so that parallel guesses cannot
-- outrun the lockout.
-- KEYS: 1 lockout:<key>, 2 checking:<key>
-- ARGV: 1 slot, 2 slot ms, 3 failure factor, 4 max delta ms
-- Returns 1, or 0 when locked or when the checks in hand may already lock the account.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'count', 'last', 'until')
if known[3] and tonumber(known[3]) > now then return 0 end

local count = tonumber(known[1] or 0)
if known[2] and now - tonumber(known[2]) > tonumber(ARGV[4]) then count = 0 end

redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local factor = tonumber(ARGV[3])
if redis.call('ZCARD', KEYS[2]) + count % factor >= factor then return 0 end
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
