#include "engines/redis/record_scripts.hpp"

#include "engines/redis/sha1.hpp"

namespace leasehold::inline v0_1::redis {
namespace {

/// INVARIANT: only the holder of the name, in time, gets beyond this.
constexpr std::string_view guarded_text = R"lua(
local lock, index = KEYS[1], KEYS[2]
local delay = tonumber(ARGV[2])
if redis.call('get', lock) ~= ARGV[1] or (delay > 0 and redis.call('pttl', lock) <= delay) then return 0 end
local entry = redis.call('hget', index, lock) or ''
)lua";

constexpr std::string_view note_text = R"lua(
local mine, before = string.match(entry, '^([^\n]*)(.*)$')
mine = string.gsub(mine, '&n=[^&]*', '')
redis.call('hset', index, lock, mine .. '&n=' .. ARGV[3] .. before)
return 1
)lua";

constexpr std::string_view previous_text = R"lua(
local t = redis.call('time')
return {t[1] * 1000 + math.floor(t[2] / 1000), entry}
)lua";

/// INVARIANT: what is recorded first stays for its window.
constexpr std::string_view record_text = R"lua(
local head = 'v=1&t=' .. (string.match(entry, '&t=(%d+)') or '0') .. '\n'
local there = redis.call('get', KEYS[3])
if there then return string.sub(there, 1, #head) == head and 1 or -1 end
redis.call('set', KEYS[3], head .. ARGV[4], 'px', ARGV[3])
return 1
)lua";

constexpr std::string_view recorded_text = R"lua(
local value = redis.call('get', KEYS[1])
return value and {value, redis.call('pttl', KEYS[1])} or 0
)lua";

script make(std::string_view name, std::initializer_list<std::string_view> parts) {
  script out{name, "-- leasehold " + std::string(name) + "\n", {}};
  for (auto const p : parts) out.text += p;
  out.sha = sha1(out.text);
  return out;
}

}  // namespace

script const& note_script() {
  static auto const s = make("note", {guarded_text, note_text});
  return s;
}
script const& previous_script() {
  static auto const s = make("previous", {guarded_text, previous_text});
  return s;
}
script const& record_script() {
  static auto const s = make("record", {guarded_text, record_text});
  return s;
}
script const& recorded_script() {
  static auto const s = make("recorded", {recorded_text});
  return s;
}

}  // namespace leasehold::inline v0_1::redis
