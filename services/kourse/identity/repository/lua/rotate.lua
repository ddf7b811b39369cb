-- Exchanges a refresh token for its successor, once, and ends the family of one that is used again.
-- KEYS: 1 refresh:<digest>
-- ARGV: 1 digest, 2 successor's digest, 3 sealed successor, 4 binding, 5 grace ms, 6 idle ms, 7 deny ms,
--       8 start of the denial's key
-- Returns {outcome, sid, sealed successor}; outcome is unknown, rotated, repeated or stolen.
local sid = redis.call('GET', KEYS[1])
if not sid then return {'unknown', '', ''} end
local family = 'family:' .. sid
local known = redis.call('HMGET', family, 'current', 'previous', 'rotated', 'sealed', 'binding', 'ends')
if not known[1] then return {'unknown', sid, ''} end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if known[1] == ARGV[1] then
  local ends = tonumber(known[6])
  redis.call('HSET', family, 'current', ARGV[2], 'previous', ARGV[1], 'rotated', now,
    'sealed', ARGV[3], 'binding', ARGV[4])
  redis.call('SET', 'refresh:' .. ARGV[2], sid, 'PXAT', ends)
  redis.call('PEXPIREAT', family, math.min(now + tonumber(ARGV[6]), ends))
  return {'rotated', sid, ARGV[3]}
end

-- The successor is unused as long as this token is the one before the current one.
local lost = known[2] == ARGV[1] and now - tonumber(known[3]) < tonumber(ARGV[5]) and known[5] == ARGV[4]
if lost then return {'repeated', sid, known[4]} end

redis.call('DEL', family)
redis.call('SET', ARGV[8] .. sid, '1', 'PX', ARGV[7])
return {'stolen', sid, ''}
