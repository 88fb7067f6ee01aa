// Decides how a simulated engine answers: the lock table of `mem:`, crashes, and the probation that follows a loss of
// memory.
#pragma once

#include "engines/mem/lock_table.hpp"
#include "sim/world.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace leasehold::sim {

/// Wrong rules, for the tests that prove that the checker sees them.
struct server_mutation {
  bool resurrects = false;        ///< a renewal of what is gone takes it again
  bool releases_by_name = false;  ///< whoever holds is released
  bool evicts_at_once = false;    ///< no hold-off after an eviction
  bool forgets_tokens = false;    ///< the token counter starts again after a crash
  bool skips_probation = false;   ///< grants at once after it has forgotten
};

class server {
 public:
  server(world& in, duration ttl_max, server_mutation const& wrong = {})
      : world_(in), ttl_max_(ttl_max), wrong_(wrong) {}

  result<spi::answer> attempt(std::string const& name, mem::lock_request const& asked, bool enqueue) {
    auto const now = world_.now();
    if (now < probation_until_ && !wrong_.skips_probation) {
      return failure{make_error_code(errc::probation),
                     diagnostics("probation").with_retry_after(probation_until_ - now)};
    }
    auto answer = table_.attempt(now, name, asked, enqueue);
    if (answer && std::holds_alternative<spi::granted>(*answer)) {
      known_[asked.owner] = asked;
      look_again_at(now + asked.ttl + asked.lock_delay, name);
    }
    tell(name);
    return answer;
  }

  result<duration> renew(std::string const& name, mem::owner_id owner) {
    if (auto const ttl = table_.renew(world_.now(), name, owner)) {
      look_again_at(world_.now() + *ttl, name);
      return *ttl;
    }
    auto const known = known_.find(owner);
    if (wrong_.resurrects && known != known_.end()) return known->second.ttl;
    return errc::lost;
  }

  result<mem::departure> withdraw(std::string const& name, mem::owner_id owner, duration hold_off) {
    auto const now = world_.now();
    if (wrong_.releases_by_name) {
      for (auto const& h : table_.inspect(now, name).holders) table_.evict(now, name, *h.token, true);
    }
    auto const met = table_.withdraw(now, name, owner, hold_off);
    tell(name);
    return met;
  }

  result<mem::owner_id> evict(std::string const& name, std::uint64_t token, bool free_now) {
    auto const gone = table_.evict(world_.now(), name, token, free_now || wrong_.evicts_at_once);
    tell(name);
    if (gone == 0) return errc::not_owner;
    return gone;
  }

  mem::owner_id new_owner() noexcept { return ++last_owner_; }
  mem::lock_table& table() noexcept { return table_; }
  [[nodiscard]] time_point now() const { return world_.now(); }

  /// Crashes and comes back empty; what it had granted may live on in its holders until the longest TTL has passed.
  void restart_empty() {
    if (wrong_.forgets_tokens)
      table_ = {};
    else
      table_.forget();
    probation_until_ = world_.now() + ttl_max_ + ttl_max_ / 50;
    for (auto const& [owner, look] : watchers_) look();
  }

  /// `look` is called when the owner might be granted; at once if that is already so (subscribe, then look: WAIT-1).
  void watch(std::string const& name, mem::owner_id owner, std::function<void()> look) {
    auto const next = table_.admissible(world_.now(), name);
    if (std::ranges::find(next, owner) != next.end()) look();
    watchers_[owner] = std::move(look);
  }
  void unwatch(mem::owner_id owner) { watchers_.erase(owner); }

 private:
  /// By time alone, too, a name becomes free.
  void look_again_at(time_point when, std::string const& name) {
    world_.post(when, [this, name] { tell(name); });
  }
  void tell(std::string const& name) {
    for (auto const owner : table_.admissible(world_.now(), name)) {
      if (auto const at = watchers_.find(owner); at != watchers_.end()) at->second();
    }
  }

  world& world_;
  duration ttl_max_;
  server_mutation wrong_;
  mem::lock_table table_;
  std::map<mem::owner_id, mem::lock_request> known_;
  std::map<mem::owner_id, std::function<void()>> watchers_;
  time_point probation_until_{};
  mem::owner_id last_owner_ = 0;
};

}  // namespace leasehold::sim
