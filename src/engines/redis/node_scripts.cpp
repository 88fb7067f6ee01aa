#include "engines/redis/node_scripts.hpp"

#include "engines/redis/sha1.hpp"

namespace leasehold::inline v0_1::redis {
namespace {

constexpr std::string_view run_id_text = R"lua(
local function run_id() return string.match(redis.call('info', 'server'), 'run_id:(%x+)') end
)lua";

/// As in scripts.cpp: asked for once per process.
constexpr std::string_view remembered_run_id_text = R"lua(
local run
local function run_id()
  if not run then run = string.match(redis.call('info', 'server'), 'run_id:(%x+)') end
  return run
end
)lua";

constexpr std::string_view prelude = R"lua(
local lock, line, waiters, shared, metadata, node, held =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local READER = '4294967295'
local t = redis.call('time')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function text(number) return string.format('%.0f', number) end
local function counter_in(entry) return entry and tonumber(string.match(entry, '&t=(%d+)')) or 0 end
-- INVARIANT: `top` is at least every counter that this node has ever answered or taken over.
local function reach(c)
  if c > tonumber(redis.call('hget', node, 'top') or 0) then redis.call('hset', node, 'top', text(c)) end
end
-- INVARIANT: the counter of a name that is free is at most `floor`.
local function fold()
  local c = counter_in(redis.call('hget', held, lock))
  if c > tonumber(redis.call('hget', node, 'floor') or 0) then redis.call('hset', node, 'floor', text(c)) end
  redis.call('hdel', held, lock)
end
local function is_together(value) return value and string.sub(value, 1, 10) == 'lh:shared:' end
local function capacity_in(value) return string.sub(value, 11) end
local function set_shared_expiry(cap)
  local last = redis.call('zrange', shared, -1, -1, 'withscores')[2]
  local left = text(math.max(1, last - now))
  redis.call('set', lock, 'lh:shared:' .. cap, 'px', left)
  redis.call('pexpire', shared, left)
  redis.call('pexpire', metadata, left)
end
)lua";

/// Whoever waits is called by name; those who have gone are passed over.
constexpr std::string_view line_text = R"lua(
local function leave_line(who)
  redis.call('zrem', line, who)
  redis.call('hdel', waiters, who)
end
local function call_next()
  local readers
  for i = 1, 64 do
    local who = redis.call('zrange', line, 0, 0)[1]
    if not who then return end
    local till, cap, channel = string.match(redis.call('hget', waiters, who) or '', '^(%d+) %d+ (%d+) (%S*) ')
    if readers and cap ~= READER then return end
    leave_line(who)
    if till and tonumber(till) > now and redis.call('publish', channel, who) > 0 then
      if cap ~= READER then return end
      readers = true
    end
  end
end
)lua";

/// INVARIANT: a node that is another one than before, or that has forgotten, grants nothing.
constexpr std::string_view ask_text = R"lua(
local me, ttl, delay, cap = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local g = redis.call('hmget', node, 'v', 'run', 'since', 'prob', 'floor', 'top', 'max', 'list', 'words')
if g[1] and g[1] ~= '1' then return {'V', g[1]} end
if g[8] and g[8] ~= ARGV[8] then return {'L', g[9]} end
local run, max = run_id(), tonumber(g[7] or ARGV[7])
if not g[1] or g[2] ~= run then
  g[3], g[4] = now, g[1] and 'restart' or 'fresh'
  redis.call('hset', node, 'v', '1', 'run', run, 'since', now, 'prob', g[4], 'max', max, 'list', ARGV[8], 'words', ARGV[9])
end
if g[4] then return {'P', math.max(0, g[3] + math.floor(max * 1.01) + 50 - now), now - g[3], g[4]} end
if ttl > max then return {'T', max} end

local entry = redis.call('hget', held, lock)
local value = redis.call('get', lock)
local till
if is_together(value) then
  redis.call('zremrangebyscore', shared, '-inf', now)
  till = redis.call('zscore', shared, me)
  if redis.call('zcard', shared) == 0 then value = false end
end
-- The same attempt asks again, because the connection broke.
if cap == '0' and value == me then return {'G', text(counter_in(entry))} end
if cap ~= '0' and till then return {'G', text(counter_in(redis.call('hget', metadata, me)))} end

local slot = tonumber(string.match(me, '/(%d+)$'))
local is_counted = slot and is_together(value) and capacity_in(value) ~= READER
if value and value ~= 'lh:off' and (is_together(value) and capacity_in(value) ~= READER or false) ~= (slot ~= nil) then
  return {'M'}
end
-- A slot beyond the smallest number that anybody said stands for one within it, so that a smaller number drains.
local free = slot
if is_counted then
  cap = math.min(cap, capacity_in(value))
  local taken, holders = {}, redis.call('zrange', shared, 0, -1)
  for _, who in ipairs(holders) do taken[string.match(who, '/(%d+)$') % cap] = true end
  free = nil
  for i = slot, #holders < cap and slot + cap - 1 or -1 do
    if not taken[i % cap] then free = i % cap break end
  end
end

-- A reader does not pass a writer who waits for longer.
local is_behind = false
local arrived = t[1] * 1000 + t[2] / 1000 - ARGV[11]
if cap ~= '0' and (not value or is_together(value)) then
  local first = redis.call('zrange', line, 0, 15, 'withscores')
  for i = 1, #first, 2 do
    local ends, its = string.match(redis.call('hget', waiters, first[i]) or '', '^(%d+) %d+ (%d+) ')
    if its == '0' and tonumber(ends) > now and tonumber(first[i + 1]) < arrived then is_behind = true end
  end
end
if not is_behind and free == slot and (not value or (cap ~= '0' and is_together(value))) then
  local c = text(math.max(tonumber(g[5] or 0) + 1, counter_in(entry) + 1, tonumber(ARGV[5])))
  local about = 'v=1&t=' .. c .. '&at=' .. text(now) .. '&' .. ARGV[6]
  if cap == '0' then
    redis.call('set', lock, me, 'px', ttl + delay)
    redis.call('hset', held, lock, about)
  else
    redis.call('zadd', shared, text(now + ttl + delay), me)
    redis.call('hset', metadata, me, about)
    set_shared_expiry(text(cap))
    redis.call('hset', held, lock, '&t=' .. c)
  end
  if tonumber(c) > tonumber(g[6] or 0) then redis.call('hset', node, 'top', c) end
  if ARGV[10] ~= '' then leave_line(ARGV[10]) end
  return {'G', c}
end
if ARGV[10] ~= '' then
  redis.call('zadd', line, 'nx', string.format('%.3f', arrived), ARGV[10])  -- two may come in one millisecond
  redis.call('hset', waiters, ARGV[10], text(now + 3000) .. ' 0 ' .. cap .. ' ' .. ARGV[12] .. ' ' .. ARGV[6])
  redis.call('pexpire', line, 6000)
  redis.call('pexpire', waiters, 6000)
end
local left, who = value and redis.call('pttl', lock) or 1, entry or ''
if is_together(value) then
  local next_out = redis.call('zrange', shared, 0, 0, 'withscores')
  who, left = redis.call('hget', metadata, next_out[1]) or '', next_out[2] - now
end
return {'B', g[6] or '0', left, value or '', who, is_counted and free or -1}
)lua";

/// A node that may have forgotten grants nothing in this way either: its counter may be an old one.
constexpr std::string_view adopt_text = R"lua(
local before, me = ARGV[1], ARGV[2]
local g = redis.call('hmget', node, 'run', 'prob', 'floor')
if g[1] ~= run_id() or g[2] then return 0 end
local value = redis.call('get', lock)
local entry = redis.call('hget', held, lock)
local c = text(math.max(tonumber(g[3] or 0) + 1, counter_in(entry) + 1, tonumber(ARGV[3])))
local about = 'v=1&t=' .. c .. '&at=' .. text(now) .. '&' .. ARGV[4]
if value == before or value == me then
  local left = redis.call('pttl', lock)
  local usable = left - (string.match(entry or '', '&d=(%d+)') or 0)
  if usable <= 0 then return 0 end
  if value == me then return {text(counter_in(entry)), usable} end
  redis.call('set', lock, me, 'px', left)
  redis.call('hset', held, lock, about)
  reach(tonumber(c))
  return {c, usable}
end
if not is_together(value) then return 0 end
local mine = redis.call('zscore', shared, me)
local till = mine or redis.call('zscore', shared, before)
local told = redis.call('hget', metadata, mine and me or before) or ''
local usable = till and till - now - (string.match(told, '&d=(%d+)') or 0)
if not till or usable <= 0 then return 0 end
if mine then return {text(counter_in(told)), usable} end
redis.call('zrem', shared, before)
redis.call('hdel', metadata, before)
redis.call('zadd', shared, till, me)
redis.call('hset', metadata, me, about)
redis.call('hset', held, lock, '&t=' .. c)
reach(tonumber(c))
return {c, usable}
)lua";

constexpr std::string_view settle_text = R"lua(
local me, token = ARGV[1], ARGV[2]
local value = redis.call('get', lock)
local place, field = held, lock
if is_together(value) then
  local till = redis.call('zscore', shared, me)
  if not till or tonumber(till) <= now then return 0 end
  place, field = metadata, me
elseif value ~= me then
  return 0
end
local function raise(where, what)
  local entry = redis.call('hget', where, what) or '&t=0'
  if counter_in(entry) < tonumber(token) then
    redis.call('hset', where, what, (string.gsub(entry, '&t=%d+', '&t=' .. token, 1)))
  end
end
raise(place, field)
if place ~= held then raise(held, lock) end
reach(tonumber(token))
return 1
)lua";

/// INVARIANT: only what carries the attempt's own owner id is removed.
constexpr std::string_view release_text = R"lua(
local me, delay, hold_off = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if ARGV[5] ~= '' then leave_line(ARGV[5]) end
local value = redis.call('get', lock)
local is_free
if value == me then
  if delay > 0 and redis.call('pttl', lock) <= delay then return 0 end
  is_free = true
elseif is_together(value) then
  local till = redis.call('zscore', shared, me)
  if not till or till - delay <= now then return -1 end
  redis.call('zrem', shared, me)
  redis.call('hdel', metadata, me)
  if hold_off > 0 then redis.call('zadd', shared, text(now + hold_off), 'lh:off:' .. me) end
  hold_off = 0
  is_free = redis.call('zcard', shared) == 0
  if not is_free then
    set_shared_expiry(capacity_in(value))
    if capacity_in(value) ~= READER and ARGV[4] ~= '1' and ARGV[3] == '0' then call_next() end
  end
else
  return value and value ~= 'lh:off' and -1 or 0
end
if is_free and hold_off > 0 then
  redis.call('set', lock, 'lh:off', 'px', hold_off)
elseif is_free then
  redis.call('unlink', lock, shared, metadata)
  fold()
  if ARGV[4] ~= '1' then call_next() end
end
return 1
)lua";

constexpr std::string_view inspect_text = R"lua(
local value = redis.call('get', lock)
if not value and redis.call('hexists', held, lock) == 1 then fold() end
return {now, value, redis.call('pttl', lock), redis.call('hget', held, lock),
        redis.call('zrange', shared, 0, -1, 'withscores'), redis.call('hgetall', metadata),
        redis.call('zrange', line, 0, -1), redis.call('hgetall', waiters)}
)lua";

constexpr std::string_view evict_text = R"lua(
local owner, at_once = ARGV[1], ARGV[2] == '1'
local value = redis.call('get', lock)
if is_together(value) then
  local till = redis.call('zscore', shared, owner)
  if not till or tonumber(till) <= now then return 0 end
  redis.call('zrem', shared, owner)
  redis.call('hdel', metadata, owner)
  if not at_once then redis.call('zadd', shared, till, 'lh:off:' .. owner) end
  if redis.call('zcard', shared) > 0 then
    set_shared_expiry(capacity_in(value))
    if at_once and capacity_in(value) ~= READER then call_next() end
    return 1
  end
elseif value ~= owner then
  return 0
elseif not at_once then
  redis.call('set', lock, 'lh:off', 'px', math.max(1, redis.call('pttl', lock)))
  return 1
end
redis.call('unlink', lock, shared, metadata)
fold()
call_next()
return 1
)lua";

constexpr std::string_view look_text = R"lua(
local g = redis.call('hmget', KEYS[1], 'v', 'run', 'prob', 'top', 'list', 'words')
if g[1] and g[1] ~= '1' then return {'V', g[1]} end
local run = run_id()
local is_other = g[5] and g[5] ~= ARGV[1]
return {g[1] and g[2] == run and not g[3] and not is_other and 1 or 0, g[4] or '0', run, is_other and g[6] or ''}
)lua";

constexpr std::string_view rejoin_text = R"lua(
local g = redis.call('hmget', KEYS[1], 'run', 'since', 'prob', 'floor', 'top', 'max', 'list')
local t = redis.call('time')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if not g[3] or g[1] ~= run_id() or g[7] ~= ARGV[2] then return 0 end
if g[2] + math.floor(g[6] * 1.01) + 50 > now then return 0 end
local c = tonumber(ARGV[1])
redis.call('hset', KEYS[1], 'floor', string.format('%.0f', math.max(tonumber(g[4] or 0), c)),
           'top', string.format('%.0f', math.max(tonumber(g[5] or 0), c)))
redis.call('hdel', KEYS[1], 'prob')
return 1
)lua";

/// Whatever all nodes have forgotten together: they begin above the clock, which no counter overtakes at less than a million
/// grants a second. Here alone a clock has a say, and an operator has asked.
constexpr std::string_view initialize_text = R"lua(
local g = redis.call('hmget', KEYS[1], 'v', 'floor', 'top', 'max')
if g[1] and g[1] ~= '1' then return {'V', g[1]} end
local t = redis.call('time')
local c = math.max(tonumber(ARGV[1]), t[1] * 1000000 + t[2])
redis.call('hset', KEYS[1], 'v', '1', 'run', run_id(), 'since', t[1] * 1000 + math.floor(t[2] / 1000),
           'floor', string.format('%.0f', math.max(tonumber(g[2] or 0), c)),
           'top', string.format('%.0f', math.max(tonumber(g[3] or 0), c)),
           'max', math.max(tonumber(g[4] or 0), tonumber(ARGV[4])), 'list', ARGV[2], 'words', ARGV[3])
redis.call('hdel', KEYS[1], 'prob')
return 1
)lua";

script make(std::string_view name, std::initializer_list<std::string_view> parts) {
  script out{name, "-- leasehold node " + std::string(name) + "\n", {}};
  for (auto const p : parts) out.text += p;
  out.sha = sha1(out.text);
  return out;
}

}  // namespace

script const& node_ask_script() {
  static auto const s = [] {
    auto out = make("ask", {run_id_text, prelude, line_text, ask_text});
    auto const version = out.sha.substr(0, 8);
    out.function = "leasehold_ask_" + version;
    out.library = "#!lua name=leasehold_node_" + version + "\n";
    out.library.append(remembered_run_id_text);
    out.library += "redis.register_function('" + out.function + "', function(KEYS, ARGV)\n";
    for (auto const p : {prelude, line_text, ask_text}) out.library += p;
    out.library += "end)\n";
    return out;
  }();
  return s;
}
script const& node_adopt_script() {
  static auto const s = make("adopt", {run_id_text, prelude, adopt_text});
  return s;
}
script const& node_settle_script() {
  static auto const s = make("settle", {prelude, settle_text});
  return s;
}
script const& node_release_script() {
  static auto const s = make("release", {prelude, line_text, release_text});
  return s;
}
script const& node_inspect_script() {
  static auto const s = make("inspect", {prelude, inspect_text});
  return s;
}
script const& node_evict_script() {
  static auto const s = make("evict", {prelude, line_text, evict_text});
  return s;
}
script const& node_look_script() {
  static auto const s = make("look", {run_id_text, look_text});
  return s;
}
script const& node_rejoin_script() {
  static auto const s = make("rejoin", {run_id_text, rejoin_text});
  return s;
}
script const& node_initialize_script() {
  static auto const s = make("initialize", {run_id_text, initialize_text});
  return s;
}

}  // namespace leasehold::inline v0_1::redis
