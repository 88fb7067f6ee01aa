#include "engines/redis/view.hpp"

#include "engines/redis/answers.hpp"
#include "engines/redis/metadata.hpp"
#include "engines/redis/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace leasehold::inline v0_1::redis {

using std::chrono::milliseconds;

bool is_described(std::string_view line, std::string_view value) {
  auto const of = read_description(line);
  return !of.owner.empty() && of.owner == value;
}

holder_info holder_of(std::string_view line, std::int64_t left_ms, std::int64_t server_now_ms, time_point now) {
  auto of = read_description(line);
  if (left_ms >= 0) {
    of.who.expires_at = now + milliseconds(left_ms) - of.lock_delay;
    if (of.who.ttl) of.who.renewed_at = *of.who.expires_at - *of.who.ttl;
  }
  if (of.at_ms > 0 && server_now_ms >= of.at_ms) of.who.acquired_at = now - milliseconds(server_now_ms - of.at_ms);
  return std::move(of.who);
}

holder_info foreign_holder(std::int64_t left_ms, time_point now) {
  holder_info who;
  who.identity = "(another client)";
  who.foreign = true;
  if (left_ms >= 0) who.expires_at = now + milliseconds(left_ms);
  return who;
}

namespace {

std::uint32_t capacity_of(std::string_view digits) noexcept {
  std::uint32_t n = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), n);
  return n;
}

/// The text behind `key` in a flat list of pairs.
std::string_view find_pair(reply const& pairs, std::string_view key) {
  for (std::size_t i = 0; i + 1 < pairs.items.size(); i += 2) {
    if (pairs.items[i].text == key) return pairs.items[i + 1].text;
  }
  return {};
}

struct moment {
  std::int64_t server_ms;
  time_point here;
};

void add_holders_together(lock_info& info, reply const& r, moment at) {
  for (std::size_t i = 0; i + 1 < r.at(4).items.size(); i += 2) {
    auto const& owner = r.at(4).at(i).text;
    auto const left = r.at(4).at(i + 1).as_number().value_or(0) - at.server_ms;
    if (left <= 0) continue;
    auto who = holder_of(find_pair(r.at(5), owner), left, at.server_ms, at.here);
    bool const alive = !owner.starts_with(held_off_value) && (!who.expires_at || *who.expires_at > at.here);
    if (alive) {
      info.holders.push_back(std::move(who));
    } else {
      info.free_at = std::max(info.free_at.value_or(at.here), at.here + milliseconds(left));
    }
  }
}

void add_holder_alone(lock_info& info, reply const& r, moment at) {
  auto const& value = r.at(1).text;
  auto const left = r.at(2).as_number().value_or(-1);
  auto const& line = r.at(3).text;
  if (value != held_off_value) {
    auto who = is_described(line, value) ? holder_of(line, left, at.server_ms, at.here) : foreign_holder(left, at.here);
    if (!who.expires_at || *who.expires_at > at.here) {
      info.holders.push_back(std::move(who));
      return;
    }
  }
  info.free_at = at.here + milliseconds(std::max<std::int64_t>(left, 0));
}

/// Entries read "until reserved capacity channel description".
void add_waiters(lock_info& info, reply const& r, moment at) {
  for (auto const& owner : r.at(6).items) {
    auto const entry = find_pair(r.at(7), owner.text);
    std::array<std::string_view, 4> fields;
    auto rest = entry;
    for (auto& f : fields) {
      f = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(f.size() + 1, rest.size()));
    }
    std::int64_t until = 0;
    std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), until);
    if (until <= at.server_ms) continue;
    if (info.holders.empty() && info.waiters.empty() && !info.free_at) info.mode = {capacity_of(fields[2])};
    info.waiters.push_back(holder_of(rest, -1, at.server_ms, at.here));
  }
}

}  // namespace

result<lock_info> info_of(reply const& r, std::string_view name, time_point now, settings const& where) {
  if (r.is_error()) return failure_of(r, where);
  auto const server_now = r.at(0).as_number();
  if (!server_now) return unexpected(where);
  moment const at{*server_now, now};
  lock_info info;
  info.name = name;
  if (auto const& value = r.at(1); !value.is_nil()) {
    if (value.text.starts_with(shared_prefix)) {
      info.mode = {capacity_of(std::string_view(value.text).substr(shared_prefix.size()))};
      add_holders_together(info, r, at);
    } else {
      add_holder_alone(info, r, at);
    }
  }
  add_waiters(info, r, at);
  if (info.free_at) info.state = lock_state::held_off;
  if (!info.holders.empty()) info.state = lock_state::held;
  return info;
}

}  // namespace leasehold::inline v0_1::redis
