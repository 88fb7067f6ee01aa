// Decides what the scripts have in common: the names of their keys, and who may hold beside whom.
#pragma once

#include <leasehold/config.hpp>

#include <string_view>

namespace leasehold::inline v0_1::redis {

/// Named keys and the clock. Each helper is local, so one that a script does not call costs it nothing but a closure.
inline constexpr std::string_view prelude = R"lua(
local lock, line, waiters, shared, metadata, guard, index =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local t = redis.call('time')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
)lua";

/// Who may hold beside whom, and who is next. Holders: x = one alone (or nobody may), n together, cap their capacity.
/// INVARIANT: a waiter is let in only if all before him in line would be let in beside him.
inline constexpr std::string_view admission = R"lua(
local READER, CLAIM_MS = 4294967295, 100
local function admits(h, cap)
  if h.x then return false end
  if h.n == 0 then return true end
  if cap == 0 then return false end
  if cap == READER or h.cap == READER then return cap == h.cap end
  return h.n < math.min(h.cap, cap)
end
local function add(h, cap)
  if cap == 0 then h.x = true; return end
  h.cap = h.n == 0 and cap or math.min(h.cap, cap)
  h.n = h.n + 1
end
local function is_counted(cap) return cap ~= 0 and cap ~= READER end
local function holders(value)
  if not value then return {n = 0} end
  local cap = string.match(value, '^lh:shared:(%d+)$')
  if not cap then return {x = true, n = 0} end
  redis.call('zremrangebyscore', shared, '-inf', now)
  local n = redis.call('zcard', shared)
  return {n = n, cap = tonumber(cap), together = true}
end
local function entry_of(who)
  local e = redis.call('hget', waiters, who)
  if not e then return nil end
  local till, reserved, cap, channel = string.match(e, '^(%d+) (%d+) (%d+) (%S*) ')
  return {text = e, till = tonumber(till), reserved = tonumber(reserved), cap = tonumber(cap), channel = channel}
end
local function leave_line(who)
  redis.call('hdel', waiters, who)
  return redis.call('zrem', line, who) == 1
end
-- From the head to `me` (or the end): drops the dead, passes over those who did not come in their claim time, calls those who may
-- come. Returns whether nobody of them is in the way.
local function walk(h, me)
  local i = 0
  while true do
    local who = redis.call('zrange', line, i, i)[1]
    if not who then return true end
    if who == me then return true end
    local e = entry_of(who)
    if not e or e.till <= now then
      leave_line(who)
    else
      i = i + 1
      if e.reserved == 0 or e.reserved > now then
        if not admits(h, e.cap) then return false end
        add(h, e.cap)
        if e.reserved == 0 then
          redis.call('hset', waiters, who, (string.gsub(e.text, '^(%d+) 0 ', '%1 ' .. (now + CLAIM_MS) .. ' ', 1)))
          redis.call('publish', e.channel, who)
        end
      end
    end
  end
end
-- The name has become freer: calls those who may come, and keeps it in the index while there is something to see.
local function settle(value)
  local is_awaited = redis.call('exists', line) == 1
  if is_awaited then
    walk(holders(value), nil)
    is_awaited = redis.call('exists', line) == 1
  end
  if value == 'lh:off' or (not value and is_awaited) then
    redis.call('hset', index, lock, '')
  elseif not value then
    redis.call('hdel', index, lock)
  end
end
local function set_shared_expiry(cap)
  local last = redis.call('zrange', shared, -1, -1, 'withscores')[2]
  local left = math.max(1, last - now)
  if cap then redis.call('set', lock, 'lh:shared:' .. cap, 'px', left) else redis.call('pexpire', lock, left) end
  redis.call('pexpire', shared, left)
  redis.call('pexpire', metadata, left)
end
)lua";

}  // namespace leasehold::inline v0_1::redis
