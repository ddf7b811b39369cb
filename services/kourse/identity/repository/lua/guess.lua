-- Tries a code against every live delivery of an account, counting the try before comparing.
-- KEYS: n times code:<delivery>
-- ARGV: 1 tries allowed, then n digests, each made for the delivery in its place
-- Returns the place of the delivery that the code belongs to, or 0.
for place, key in ipairs(KEYS) do
  local digest = redis.call('HGET', key, 'digest')
  if digest then
    if redis.call('HINCRBY', key, 'tries', 1) > tonumber(ARGV[1]) then
      redis.call('DEL', key)
    elseif digest == ARGV[place + 1] then
      return place
    end
  end
end
return 0
