#include "engines/redis/scripts.hpp"

#include "engines/redis/script_parts.hpp"
#include "engines/redis/sha1.hpp"

namespace leasehold::inline v0_1::redis {
namespace {

/// Refuses what the arbiter's identity forbids (guard), then grants or refuses. The common case comes first, with the fewest calls.
/// INVARIANT: tokens grow: each is above the last one and above the server's clock in microseconds.
constexpr std::string_view acquire_free_text = R"lua(
local me, ttl, delay, cap, about, max = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local g = redis.call('hmget', guard, 'c', 'v', 'run', 'prob', 'max')
if g[2] and g[2] ~= '1' then return {'V', g[2]} end
if max ~= '0' then
  max = g[5] or max
  if g[3] ~= run_id() or g[4] then
    local since
    if g[3] ~= run_id() then
      since, g[4] = now, g[3] and 'restart' or 'fresh'
      redis.call('hset', guard, 'v', '1', 'run', run_id(), 'since', now, 'prob', g[4], 'max', max)
    else
      since = tonumber(redis.call('hget', guard, 'since'))
    end
    local left = since + math.floor(max * 1.01) + 50 - now
    if left > 0 then return {'P', left, now - since, g[4]} end
    redis.call('hdel', guard, 'prob')
  end
  if tonumber(ttl) > tonumber(max) then return {'T', tonumber(max)} end
end
local function new_token()
  local us = t[2]
  local c = t[1] .. string.rep('0', 6 - #us) .. us
  if g[1] and tonumber(g[1]) >= tonumber(c) then c = string.format('%.0f', g[1] + 1) end
  redis.call('hset', guard, 'c', c)
  return c
end
local function grant_alone()
  local c = new_token()
  redis.call('set', lock, me, 'px', ttl + delay)
  local mine = 'v=1&t=' .. c .. '&at=' .. now .. '&' .. about
  if redis.call('hsetnx', index, lock, mine) == 0 then  -- somebody did not release
    local before = string.match(redis.call('hget', index, lock), '^[^\n]+')
    redis.call('hset', index, lock, before and mine .. '\n' .. before or mine)
  end
  return {'G', c}
end
if cap == '0' and redis.call('exists', lock, line) == 0 then return grant_alone() end
)lua";

/// The name is not free, or somebody waits for it, or it is not to be held alone.
constexpr std::string_view acquire_text = R"lua(
ttl, delay, cap = tonumber(ttl), tonumber(delay), tonumber(cap)
local value = redis.call('get', lock)
if value == me and redis.call('pttl', lock) > delay then
  redis.call('pexpire', lock, ttl + delay)
  return {'G', string.match(redis.call('hget', index, lock) or '', '&t=(%d+)') or new_token()}
end
local h = holders(value)
if h.together then
  local till = redis.call('zscore', shared, me)
  if till and till - delay > now then
    redis.call('zadd', shared, now + ttl + delay, me)
    set_shared_expiry(nil)
    return {'G', string.match(redis.call('hget', metadata, me) or '', '&t=(%d+)') or new_token()}
  end
  if h.n == 0 then value = false end
end
local first = redis.call('zrange', line, 0, 0)[1]
local before = first and entry_of(first)
local is_kind = is_counted(cap)
if value and value ~= 'lh:off' and (h.together and is_counted(h.cap) or false) ~= is_kind then return {'M'} end
if before and before.till > now and is_counted(before.cap) ~= is_kind then return {'M'} end

local open = walk(h, me)
if open and admits(h, cap) then
  leave_line(me)
  if cap == 0 then return grant_alone() end
  local c = new_token()
  redis.call('zadd', shared, now + ttl + delay, me)
  redis.call('hset', metadata, me, 'v=1&t=' .. c .. '&at=' .. now .. '&' .. about)
  set_shared_expiry(string.format('%.0f', value and math.min(string.match(value, '%d+$'), cap) or cap))
  redis.call('hset', index, lock, '')
  return {'G', c}
end
local ahead
if ARGV[7] ~= '' then
  local lifetime, channel = string.match(ARGV[7], '^(%d+) (%S+)$')
  if not redis.call('zscore', line, me) then
    redis.call('zadd', line, (redis.call('zrange', line, -1, -1, 'withscores')[2] or 0) + 1, me)
    redis.call('hsetnx', index, lock, '')
  end
  redis.call('hset', waiters, me, now + lifetime .. ' 0 ' .. cap .. ' ' .. channel .. ' ' .. about)
  redis.call('pexpire', line, 6000)
  redis.call('pexpire', waiters, 6000)
  ahead = redis.call('zrank', line, me)
else
  leave_line(me)
  ahead = redis.call('zcard', line)
end
local left = value and redis.call('pttl', lock) or -2
local who = ''
if h.together then
  local next_out = redis.call('zrange', shared, 0, 0, 'withscores')
  who = next_out[1] and redis.call('hget', metadata, next_out[1]) or ''
  left = next_out[2] and next_out[2] - now or -2
elseif value then
  who = redis.call('hget', index, lock) or ''
end
return {'B', left, ahead, value or '', who}
)lua";

/// INVARIANT: only what carries the claim's own owner id is removed.
constexpr std::string_view withdraw_free_text = R"lua(
local me, delay, hold_off = ARGV[1], ARGV[2], ARGV[3]
local value = redis.call('get', KEYS[1])
if value == me and delay == '0' and hold_off == '0' and redis.call('exists', KEYS[2]) == 0 then
  redis.call('unlink', KEYS[1])
  redis.call('hdel', KEYS[7], KEYS[1])
  return 1
end
)lua";

/// Somebody waits, or something stays behind, or it is not its own alone.
constexpr std::string_view withdraw_text = R"lua(
delay, hold_off = tonumber(delay), tonumber(hold_off)
local after = value
local outcome
if value == me then
  if delay > 0 and redis.call('pttl', lock) <= delay then return 0 end
  if hold_off > 0 then
    redis.call('set', lock, 'lh:off', 'px', hold_off)
    after = 'lh:off'
  else
    redis.call('unlink', lock)
    after = false
  end
  outcome = 1
elseif value and string.sub(value, 1, 10) == 'lh:shared:' then
  local till = redis.call('zscore', shared, me)
  if till and till - delay > now then
    redis.call('zrem', shared, me)
    redis.call('hdel', metadata, me)
    if hold_off > 0 then redis.call('zadd', shared, now + hold_off, 'lh:off:' .. me) end
    if redis.call('zcard', shared) == 0 then
      redis.call('unlink', lock)
      after = false
    else
      set_shared_expiry(nil)
    end
    outcome = 1
  end
end
if not outcome then
  if redis.call('exists', line) == 0 or not leave_line(me) then return value and value ~= 'lh:off' and -1 or 0 end
  outcome = 2
end
settle(after)
return outcome
)lua";

/// INVARIANT: nothing is resurrected: what is gone, somebody else's, or in its lock delay stays so.
constexpr std::string_view renew_text = R"lua(
local out = {}
for i = 1, #KEYS do
  local owner, ttl, delay = ARGV[3 * i - 2], ARGV[3 * i - 1], tonumber(ARGV[3 * i])
  if redis.pcall('get', KEYS[i]) == owner and (delay == 0 or redis.call('pttl', KEYS[i]) > delay) then
    out[i] = redis.call('pexpire', KEYS[i], ttl + delay)
  else
    out[i] = 0
  end
end
return out
)lua";

constexpr std::string_view renew_shared_text = R"lua(
local me, ttl, delay = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local value = redis.call('get', lock)
local till = value and string.sub(value, 1, 10) == 'lh:shared:' and redis.call('zscore', shared, me)
if not till or till - delay <= now then return 0 end
redis.call('zadd', shared, now + ttl + delay, me)
set_shared_expiry(nil)
return 1
)lua";

constexpr std::string_view inspect_text = R"lua(
local value = redis.call('get', lock)
local entry = redis.call('hget', index, lock)
if entry and not value and redis.call('exists', line) == 0 then
  -- Whoever did not release is remembered for a day from when that was first seen.
  local gone = string.match(entry, '&gone=(%d+)')
  local last = string.match(entry, '^v=1&t=[^\n]+')
  if not last or (gone and now - gone > 86400000) then
    redis.call('hdel', index, lock)
  elseif not gone then
    redis.call('hset', index, lock, last .. '&gone=' .. now)
  end
  entry = false
end
return {now, value, redis.call('pttl', lock), entry, redis.call('zrange', shared, 0, -1, 'withscores'),
        redis.call('hgetall', metadata), redis.call('zrange', line, 0, -1), redis.call('hgetall', waiters)}
)lua";

/// The evicted one's key stays until its time is over, with a value that nobody owns.
constexpr std::string_view evict_text = R"lua(
local token, at_once = ARGV[1], ARGV[2] == '1'
local value = redis.call('get', lock)
if not value then return 0 end
local after = value
if string.sub(value, 1, 10) == 'lh:shared:' then
  local victim
  local all = redis.call('hgetall', metadata)
  for i = 1, #all, 2 do
    if string.match(all[i + 1], '&t=(%d+)') == token then victim = all[i] end
  end
  local till = victim and redis.call('zscore', shared, victim)
  if not till or tonumber(till) <= now then return 0 end
  redis.call('zrem', shared, victim)
  redis.call('hdel', metadata, victim)
  if not at_once then redis.call('zadd', shared, till, 'lh:off:' .. victim) end
  if redis.call('zcard', shared) == 0 then
    redis.call('unlink', lock)
    after = false
  end
else
  local entry = redis.call('hget', index, lock) or ''
  if string.match(entry, '&t=(%d+)') ~= token or string.match(entry, '&o=(%x+)') ~= value then return 0 end
  if at_once then
    redis.call('unlink', lock)
    after = false
  else
    redis.call('set', lock, 'lh:off', 'px', math.max(1, redis.call('pttl', lock)))
    after = 'lh:off'
  end
end
settle(after)
return 1
)lua";

constexpr std::string_view adopt_text = R"lua(
local before, me = ARGV[1], ARGV[2]
local value = redis.call('get', lock)
if not value then return 0 end
local function fresh_token()
  local c = string.format('%.0f', math.max((tonumber(redis.call('hget', guard, 'c')) or 0) + 1, t[1] * 1000000 + t[2]))
  redis.call('hset', guard, 'c', c)
  return c
end
local function delay_of(entry) return tonumber(string.match(entry, '&d=(%d+)') or 0) end
if value == before then
  local left = redis.call('pttl', lock) - delay_of(redis.call('hget', index, lock) or '')
  if left <= 0 then return 0 end
  local c = fresh_token()
  redis.call('set', lock, me, 'px', redis.call('pttl', lock))
  local note = string.match(redis.call('hget', index, lock) or '', '^[^\n]-(&n=[^&\n]*)') or ''
  redis.call('hset', index, lock, 'v=1&t=' .. c .. '&at=' .. now .. '&' .. ARGV[3] .. note)
  return {c, left}
end
local till = string.sub(value, 1, 10) == 'lh:shared:' and redis.call('zscore', shared, before)
if not till then return 0 end
local left = till - now - delay_of(redis.call('hget', metadata, before) or '')
if left <= 0 then return 0 end
local c = fresh_token()
redis.call('zrem', shared, before)
redis.call('hdel', metadata, before)
redis.call('zadd', shared, till, me)
redis.call('hset', metadata, me, 'v=1&t=' .. c .. '&at=' .. now .. '&' .. ARGV[3])
return {c, left}
)lua";

constexpr std::string_view initialize_text = R"lua(
local g = redis.call('hmget', KEYS[1], 'v', 'max')
if g[1] and g[1] ~= '1' then return {'V', g[1]} end
local t = redis.call('time')
local run = string.match(redis.call('info', 'server'), 'run_id:(%x+)')
redis.call('hset', KEYS[1], 'v', '1', 'run', run, 'since', t[1] * 1000 + math.floor(t[2] / 1000),
           'max', math.max(tonumber(g[2] or 0), tonumber(ARGV[1])))
redis.call('hdel', KEYS[1], 'prob')
return 1
)lua";

constexpr std::string_view run_id_text = R"lua(
local function run_id() return string.match(redis.call('info', 'server'), 'run_id:(%x+)') end
)lua";

/// INVARIANT: `run` lives as long as the server's process: a restart, a promotion and a resynchronisation load the library anew, or
/// have never called it. So it is asked for once per process, which halves the price of an acquire.
constexpr std::string_view remembered_run_id_text = R"lua(
local run
local function run_id()
  if not run then run = string.match(redis.call('info', 'server'), 'run_id:(%x+)') end
  return run
end
)lua";

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (auto const p : parts) out += p;
  return out;
}

script make(std::string_view name, std::initializer_list<std::string_view> parts) {
  script out{name, "-- leasehold " + std::string(name) + "\n" + joined(parts), {}};
  out.sha = sha1(out.text);
  return out;
}

/// Adds the same as a function of the server, which is cheaper to call. `before` stays from call to call.
script with_function(script out, std::string_view before, std::initializer_list<std::string_view> body,
                     std::string_view flags) {
  auto const kind =
      "_" + std::string(out.name) + "_" + out.sha.substr(0, 8);  // of the text: two versions of leasehold do not
  out.function = "leasehold" + kind;                             // replace each other's
  out.library = "#!lua name=leasehold" + kind + "\n" + std::string(before) + "redis.register_function{function_name='" +
                out.function + "', flags={" + std::string(flags) + "}, callback=function(KEYS, ARGV)\n" + joined(body) +
                "end}\n";
  return out;
}

}  // namespace

script const& acquire_script() {
  static auto const s =
      with_function(make("acquire", {run_id_text, prelude, acquire_free_text, admission, acquire_text}),
                    remembered_run_id_text, {prelude, acquire_free_text, admission, acquire_text}, "");
  return s;
}
/// Runs on a server without memory, too: it is what gives some back.
script const& withdraw_script() {
  static auto const s = with_function(make("withdraw", {withdraw_free_text, prelude, admission, withdraw_text}), "",
                                      {withdraw_free_text, prelude, admission, withdraw_text}, "'allow-oom'");
  return s;
}
script const& renew_script() {
  static auto const s = make("renew", {renew_text});
  return s;
}
script const& renew_shared_script() {
  static auto const s = make("renew_shared", {prelude, admission, renew_shared_text});
  return s;
}
script const& inspect_script() {
  static auto const s = make("inspect", {prelude, inspect_text});
  return s;
}
script const& evict_script() {
  static auto const s = make("evict", {prelude, admission, evict_text});
  return s;
}
script const& adopt_script() {
  static auto const s = make("adopt", {prelude, adopt_text});
  return s;
}
script const& initialize_script() {
  static auto const s = make("initialize", {initialize_text});
  return s;
}

}  // namespace leasehold::inline v0_1::redis
