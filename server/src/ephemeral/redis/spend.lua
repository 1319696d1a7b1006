-- Takes tokens from buckets, which fill by themselves. See store.ts. A bucket that is full again is forgotten.
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local answers = {}
for _, ask in ipairs(cjson.decode(ARGV[1])) do
  local key = "parley:bucket:" .. ask.name
  local known = redis.call("HMGET", key, "tokens", "at")
  local tokens, at = tonumber(known[1]) or ask.burst, tonumber(known[2]) or now
  tokens = math.min(ask.burst, tokens + math.max(0, now - at) / 1000 * ask.perSecond)
  local isTaken = ask.isSpent or tokens >= ask.tokens
  if isTaken then tokens = math.max(-ask.burst, tokens - ask.tokens) end
  if tokens < ask.burst then
    redis.call("HSET", key, "tokens", string.format("%.6f", tokens), "at", string.format("%.3f", now))
    redis.call("PEXPIRE", key, string.format("%.0f", math.ceil((ask.burst - tokens) / ask.perSecond * 1000) + 1))
  end
  table.insert(answers, { isTaken = isTaken, tokens = tokens })
end
return #answers > 0 and cjson.encode(answers) or "[]"
