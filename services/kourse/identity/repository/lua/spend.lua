-- Uses up a one-time token when it is the live one of its subject; a wrong guess harms nothing.
-- KEYS: 1 link:<purpose>:<subject>
-- ARGV: 1 digest
-- Returns the tenant it was issued for, or false.
if redis.call('HGET', KEYS[1], 'digest') ~= ARGV[1] then return false end
local tenant = redis.call('HGET', KEYS[1], 'tenant')
redis.call('DEL', KEYS[1])
return tenant
