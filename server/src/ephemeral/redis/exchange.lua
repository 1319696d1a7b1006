-- One exchange: ends what is over, applies the operations, answers what is above `after`. See store.ts.
--
-- parley:ephemeral:head      hash: born, number
-- parley:ephemeral:ends      sorted set by the time of their end: "t <room> <user>", "p <user> <session>"
-- parley:ephemeral:changes   sorted set by the number of their last change: "t <room>", "p <user>"
--                            (members of another kind are of another release, which sees to them)
-- parley:person:<user>       hash: state, status, active, changed, and for each session "s:<session>" with its state
local HEAD = "parley:ephemeral:head"
local ENDS = "parley:ephemeral:ends"
local CHANGES = "parley:ephemeral:changes"

local ask = cjson.decode(ARGV[1])
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function text(number)
  return string.format("%.0f", number)
end

local head = redis.call("HMGET", HEAD, "born", "number")
local born, number = tonumber(head[1]), tonumber(head[2])
if not born then
  born = math.max(now, ask.after + 1)
  number = born
  redis.call("HSET", HEAD, "born", text(born), "number", text(number))
elseif number < ask.after then
  number = ask.after
  redis.call("HSET", HEAD, "number", text(number))
end

-- What this exchange changes: rooms and people as keys.
local rooms, people = {}, {}

local ended = redis.call("ZRANGEBYSCORE", ENDS, "-inf", text(now))
for _, member in ipairs(ended) do
  local kind, first, second = member:match("^(%S) (%S+) (%S+)$")
  if kind == "t" then
    redis.call("SREM", "channel_members:" .. first, second)
    rooms[first] = true
  elseif kind == "p" then
    redis.call("HDEL", "parley:person:" .. first, "s:" .. second)
    people[first] = people[first] or false
  end
  if kind == "t" or kind == "p" then redis.call("ZREM", ENDS, member) end
end

local function setTyping(op)
  local member = "t " .. op.room .. " " .. op.user
  local key = "channel_members:" .. op.room
  if op.timeout_ms > 0 then
    if redis.call("ZADD", ENDS, text(now + op.timeout_ms), member) == 1 then rooms[op.room] = true end
    redis.call("SADD", key, op.user)
    -- As long as whoever types longest.
    if redis.call("PTTL", key) < op.timeout_ms then redis.call("PEXPIRE", key, text(op.timeout_ms)) end
  elseif redis.call("ZREM", ENDS, member) == 1 then
    redis.call("SREM", key, op.user)
    rooms[op.room] = true
  end
end

local function setPresence(op)
  local key = "parley:person:" .. op.user
  local member = "p " .. op.user .. " " .. op.session
  local left = op.timeout_ms - op.idle_ms
  if op.state == "offline" or left <= 0 then
    redis.call("HDEL", key, "s:" .. op.session)
    redis.call("ZREM", ENDS, member)
  else
    redis.call("HSET", key, "s:" .. op.session, op.state)
    redis.call("ZADD", ENDS, text(now + left), member)
  end
  local active = tonumber(redis.call("HGET", key, "active"))
  local seen = op.active_ms and now - op.active_ms or now
  if not active or (op.active_ms and seen > active) then redis.call("HSET", key, "active", text(seen)) end
  people[op.user] = people[op.user] or false
  if op.status ~= nil then
    local status = op.status ~= cjson.null and op.status or false
    if status ~= redis.call("HGET", key, "status") then people[op.user] = true end
    if status then redis.call("HSET", key, "status", status) else redis.call("HDEL", key, "status") end
  end
end

for _, op in ipairs(ask.operations) do
  if op.room then setTyping(op) else setPresence(op) end
end

-- What the sessions of a person say together, and until when the longest of them counts.
local function settle(user)
  local fields = redis.call("HGETALL", "parley:person:" .. user)
  local state, last = "offline", 0
  for i = 1, #fields, 2 do
    local session = fields[i]:match("^s:(%S+)$")
    if session then
      if state ~= "online" then state = fields[i + 1] end
      last = math.max(last, tonumber(redis.call("ZSCORE", ENDS, "p " .. user .. " " .. session)) or 0)
    end
  end
  return state, last
end

local function share(user, state, last)
  if state == "offline" or last <= now then return redis.call("DEL", "presence:" .. user) end
  redis.call("SET", "presence:" .. user, state == "online" and "online" or "idle", "PXAT", text(last))
end

local nextNumber = math.max(number + 1, now)
local isChanged = false
for room in pairs(rooms) do
  isChanged = true
  redis.call("ZADD", CHANGES, text(nextNumber), "t " .. room)
  local users = redis.call("SMEMBERS", "channel_members:" .. room)
  local message = '{"channel_id":' .. cjson.encode(room) .. ',"typing":' .. (#users > 0 and cjson.encode(users) or "[]") .. "}"
  redis.call("PUBLISH", "channel:" .. room, message)
end
for user, differs in pairs(people) do
  local key = "parley:person:" .. user
  local state, last = settle(user)
  if differs or state ~= redis.call("HGET", key, "state") then
    isChanged = true
    redis.call("ZADD", CHANGES, text(nextNumber), "p " .. user)
    redis.call("HSET", key, "state", state, "changed", text(nextNumber))
  end
  share(user, state, last)
  redis.call("PEXPIRE", key, text(ask.kept_ms))
end
if isChanged then
  number = nextNumber
  redis.call("HSET", HEAD, "number", text(number))
  redis.call("ZREMRANGEBYSCORE", CHANGES, "-inf", "(" .. text(now - ask.horizon_ms))
end
for _, key in ipairs({ HEAD, ENDS, CHANGES }) do redis.call("PEXPIRE", key, text(ask.kept_ms)) end

-- The answer. The changes below the horizon are forgotten; what is true is found by its end.
local isWhole = ask.born ~= born or (ask.after < number and ask.after < now - ask.horizon_ms)
local wanted = {}
if isWhole then
  for _, member in ipairs(redis.call("ZRANGE", ENDS, 0, -1)) do wanted[member:match("^%S %S+") or ""] = true end
else
  for _, member in ipairs(redis.call("ZRANGEBYSCORE", CHANGES, "(" .. text(ask.after), "+inf")) do wanted[member] = true end
end
local typing, presence = {}, {}
for member in pairs(wanted) do
  local kind, id = member:match("^(%S) (%S+)$")
  if kind == "t" then
    local users = redis.call("SMEMBERS", "channel_members:" .. id)
    table.sort(users)
    while #users > ask.most do table.remove(users) end
    table.insert(typing, { id, users, tonumber(redis.call("ZSCORE", CHANGES, member)) or 1 })
  elseif kind == "p" then
    local person = redis.call("HMGET", "parley:person:" .. id, "state", "status", "active", "changed")
    local changed = tonumber(person[4]) or tonumber(redis.call("ZSCORE", CHANGES, member)) or number
    table.insert(presence, { id, person[1] or "offline", person[2] or cjson.null, tonumber(person[3]) or 0, changed })
  end
end
local first = redis.call("ZRANGE", ENDS, 0, 0, "WITHSCORES")
return cjson.encode({
  born = born,
  isWhole = isWhole,
  after = isWhole and 0 or ask.after,
  upTo = number,
  isChanged = isChanged,
  now_ms = now,
  end_ms = tonumber(first[2]) or cjson.null,
  typing = typing,
  presence = presence,
})
