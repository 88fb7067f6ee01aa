#include "engines/mem/lock_table.hpp"

#include "model/assert.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace leasehold::inline v0_1::mem {
namespace {

/// What the holders of a name, and those before in line, take up together.
struct load {
  bool exclusive = false;
  std::uint32_t readers = 0;
  std::uint32_t permits = 0;
  std::uint32_t capacity = mode::unbounded;  // the least that was asked

  [[nodiscard]] bool admits(mode asked) const noexcept {
    if (exclusive) return false;
    if (asked.is_exclusive()) return readers == 0 && permits == 0;
    if (asked.is_reader()) return permits == 0;
    return readers == 0 && permits < std::min(capacity, asked.capacity);
  }
  void add(mode taken) noexcept {
    if (taken.is_exclusive()) exclusive = true;
    if (taken.is_reader()) ++readers;
    if (taken.is_semaphore()) {
      ++permits;
      capacity = std::min(capacity, taken.capacity);
    }
  }
};

template <class Holders>
load load_of(Holders const& holders) noexcept {
  load sum;
  for (auto const& h : holders) sum.add(h.mode);
  return sum;
}

template <class Holder>
void renew_until(Holder& h, time_point now) {
  h.expires_at = now + h.ttl;
  h.who.renewed_at = now;
  h.who.expires_at = h.expires_at;
}

template <class Holders>
spi::busy refusal(time_point now, Holders const& holders, std::size_t ahead, duration look_again) {
  spi::busy no;
  no.ahead = static_cast<std::uint32_t>(ahead);
  auto first_free = time_point::max();
  for (auto const& h : holders) {
    first_free = std::min(first_free, h.expires_at);
    if (h.owner != 0 && !no.holder) no.holder = std::make_shared<holder_info const>(h.who);
  }
  no.retry_after = first_free == time_point::max() ? look_again : std::min(look_again, first_free - now);
  return no;
}

}  // namespace

duration place_lifetime(duration ttl) noexcept { return std::min<duration>(ttl, std::chrono::seconds(5)); }

result<spi::answer> lock_table::attempt(time_point now, std::string_view name, lock_request const& asked,
                                        bool enqueue) {
  LEASEHOLD_ASSERT(asked.owner != 0 && asked.ttl > duration::zero());
  auto& in = find_or_add(now, name);
  if (auto* mine = held_by(in, asked.owner)) {
    renew_until(*mine, now);
    return spi::answer{spi::granted{mine->ttl, mine->who.token}};
  }
  auto sum = load_of(in.holders);
  auto const other_kind = [&](auto const& h) { return h.mode.is_semaphore() != asked.mode.is_semaphore(); };
  if (std::ranges::any_of(in.holders, other_kind) || std::ranges::any_of(in.line, other_kind)) {
    return failure{errc::mode_mismatch};
  }
  auto const mine = std::ranges::find(in.line, asked.owner, &waiter::owner);
  bool free = true;
  for (auto before = in.line.begin(); before != mine && free; ++before) {
    free = sum.admits(before->mode);
    sum.add(before->mode);
  }
  auto const ahead = static_cast<std::size_t>(mine - in.line.begin());
  bool const waits = mine != in.line.end();
  if (free && sum.admits(asked.mode)) {
    if (waits) in.line.erase(mine);
    grant(now, name, in, asked);
    return spi::answer{spi::granted{asked.ttl, counter_}};
  }
  auto const place = place_lifetime(asked.ttl);
  auto no = refusal(now, in.holders, ahead, enqueue ? place / 3 : asked.ttl);
  if (enqueue && waits) mine->place_until = now + place;
  if (enqueue && !waits) in.line.push_back({asked.owner, asked.mode, now + place, asked.who});
  if (!enqueue && waits) in.line.erase(mine);
  return spi::answer{std::move(no)};
}

void lock_table::grant(time_point now, std::string_view name, entry& in, lock_request const& asked) {
  holder h{asked.owner, asked.mode, asked.ttl, asked.lock_delay, now, asked.who};
  h.who.token = ++counter_;
  h.who.ttl = asked.ttl;
  h.who.acquired_at = now;
  renew_until(h, now);
  if (auto const ended = ended_.find(name); ended != ended_.end()) {
    h.before = std::move(ended->second);
    ended_.erase(ended);
  }
  in.holders.push_back(std::move(h));
}

std::optional<duration> lock_table::renew(time_point now, std::string_view name, owner_id owner) {
  auto* in = find(now, name);
  auto* mine = in != nullptr ? held_by(*in, owner) : nullptr;
  if (mine == nullptr) return std::nullopt;
  renew_until(*mine, now);
  return mine->ttl;
}

departure lock_table::withdraw(time_point now, std::string_view name, owner_id owner, duration hold_off) {
  auto* in = find(now, name);
  if (in == nullptr) return departure::absent_free;
  if (std::erase_if(in->line, [&](waiter const& w) { return w.owner == owner; }) > 0) {
    drop_if_empty(name);
    return departure::left_line;
  }
  auto* mine = held_by(*in, owner);
  if (mine == nullptr) {
    bool const taken = std::ranges::any_of(in->holders, [](holder const& h) { return h.owner != 0; });
    return taken ? departure::absent_taken : departure::absent_free;
  }
  mine->owner = 0;
  mine->lock_delay = {};
  mine->expires_at = now + hold_off;
  expire(now, name, *in);
  drop_if_empty(name);
  return departure::released;
}

std::optional<spi::granted> lock_table::hand_over(time_point now, std::string_view name, owner_id before,
                                                  owner_id after) {
  auto* in = find(now, name);
  auto* held = in != nullptr ? held_by(*in, before) : nullptr;
  if (held == nullptr) return std::nullopt;
  held->owner = after;
  return spi::granted{held->expires_at - now, held->who.token};
}

owner_id lock_table::evict(time_point now, std::string_view name, std::uint64_t token, bool free_now) {
  auto* in = find(now, name);
  if (in == nullptr) return 0;
  for (auto& h : in->holders) {
    if (h.owner == 0 || h.who.token != token) continue;
    auto const evicted = std::exchange(h.owner, 0);
    h.lock_delay = {};
    if (free_now) h.expires_at = now;
    expire(now, name, *in);
    drop_if_empty(name);
    return evicted;
  }
  return 0;
}

bool lock_table::put_note(time_point now, std::string_view name, owner_id owner, std::string_view text) {
  auto* in = find(now, name);
  auto* mine = in != nullptr ? held_by(*in, owner) : nullptr;
  if (mine == nullptr) return false;
  mine->who.note = text;
  return true;
}

std::optional<std::optional<previous_holder>> lock_table::previous(time_point now, std::string_view name,
                                                                   owner_id owner) {
  auto* in = find(now, name);
  auto* mine = in != nullptr ? held_by(*in, owner) : nullptr;
  if (mine == nullptr) return std::nullopt;
  return mine->before;
}

recording lock_table::put_record(time_point now, std::string_view name, owner_id owner, std::string_view value,
                                 duration window) {
  auto* in = find(now, name);
  auto const* mine = in != nullptr ? held_by(*in, owner) : nullptr;
  if (mine == nullptr) return recording::lost;
  if (auto const there = get_record(now, name)) {
    return there->token == mine->who.token ? recording::stored : recording::another_there;
  }
  std::erase_if(records_, [&](auto const& r) { return r.second.until <= now; });
  records_.insert_or_assign(std::string(name), completion{std::string(value), mine->who.token, now + window});
  return recording::stored;
}

std::optional<completion> lock_table::get_record(time_point now, std::string_view name) {
  auto const at = records_.find(name);
  if (at == records_.end() || at->second.until <= now) return std::nullopt;
  return at->second;
}

lock_info lock_table::inspect(time_point now, std::string_view name) {
  auto const* in = find(now, name);
  return in != nullptr ? describe(name, *in) : describe(name, entry{});
}

std::vector<lock_info> lock_table::list(time_point now, std::string_view prefix) {
  settle(now);
  std::vector<lock_info> found;
  for (auto at = names_.lower_bound(prefix); at != names_.end() && at->first.starts_with(prefix); ++at) {
    found.push_back(describe(at->first, at->second));
  }
  return found;
}

lock_info lock_table::describe(std::string_view name, entry const& in) {
  lock_info info;
  info.name = name;
  for (auto const& h : in.holders) {
    info.mode = h.mode;
    if (h.owner != 0)
      info.holders.push_back(h.who);
    else
      info.free_at = std::max(info.free_at.value_or(h.expires_at), h.expires_at);
  }
  for (auto const& w : in.line) info.waiters.push_back(w.who);
  if (in.holders.empty() && !in.line.empty()) info.mode = in.line.front().mode;
  if (info.free_at) info.state = lock_state::held_off;
  if (!info.holders.empty()) info.state = lock_state::held;
  return info;
}

std::vector<owner_id> lock_table::admissible(time_point now, std::string_view name) {
  std::vector<owner_id> next;
  auto const* in = find(now, name);
  if (in == nullptr) return next;
  auto sum = load_of(in->holders);
  for (auto const& w : in->line) {
    if (!sum.admits(w.mode)) break;
    sum.add(w.mode);
    next.push_back(w.owner);
  }
  return next;
}

time_point lock_table::next_change(entry const& in) {
  auto next = time_point::max();
  for (auto const& h : in.holders) next = std::min(next, h.expires_at);
  for (auto const& w : in.line) next = std::min(next, w.place_until);
  return next;
}

time_point lock_table::next_change(std::string_view name) const {
  auto const at = names_.find(name);
  return at == names_.end() ? time_point::max() : next_change(at->second);
}

time_point lock_table::next_change() const {
  auto next = time_point::max();
  for (auto const& [name, in] : names_) next = std::min(next, next_change(in));
  return next;
}

std::vector<std::string> lock_table::contended() const {
  std::vector<std::string> found;
  for (auto const& [name, in] : names_) {
    if (!in.line.empty()) found.push_back(name);
  }
  return found;
}

lock_table::holder* lock_table::held_by(entry& in, owner_id owner) {
  auto const at = std::ranges::find(in.holders, owner, &holder::owner);
  return at == in.holders.end() ? nullptr : &*at;
}

void lock_table::expire(time_point now, std::string_view name, entry& in) {
  for (auto& h : in.holders) {
    if (h.expires_at > now) continue;
    if (h.owner != 0 && h.mode.is_exclusive())
      ended_.insert_or_assign(std::string(name),
                              previous_holder{h.who, previous_holder::ending::expired, h.expires_at});
    h.owner = 0;  // dead, not released: the lock delay begins where the TTL ended
    h.expires_at += std::exchange(h.lock_delay, {});
  }
  std::erase_if(in.holders, [&](holder const& h) { return h.expires_at <= now; });
  std::erase_if(in.line, [&](waiter const& w) { return w.place_until <= now; });
}

lock_table::entry* lock_table::find(time_point now, std::string_view name) {
  auto const at = names_.find(name);
  if (at == names_.end()) return nullptr;
  expire(now, at->first, at->second);
  if (!at->second.empty()) return &at->second;
  names_.erase(at);
  return nullptr;
}

lock_table::entry& lock_table::find_or_add(time_point now, std::string_view name) {
  if (auto* known = find(now, name)) return *known;
  if (names_.size() >= sweep_at_) {
    settle(now);
    sweep_at_ = 2 * names_.size() + 64;
  }
  return names_.try_emplace(std::string(name)).first->second;
}

void lock_table::drop_if_empty(std::string_view name) {
  auto const at = names_.find(name);
  if (at != names_.end() && at->second.empty()) names_.erase(at);
}

void lock_table::settle(time_point now) {
  for (auto at = names_.begin(); at != names_.end();) {
    expire(now, at->first, at->second);
    at = at->second.empty() ? names_.erase(at) : std::next(at);
  }
}

}  // namespace leasehold::inline v0_1::mem
