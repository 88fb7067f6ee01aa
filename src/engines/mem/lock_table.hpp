// Decides who holds what: the sequential lock machine behind `mem:` and behind the simulator's engine. Pure: time is a
// parameter; no I/O, no clock, no thread, no randomness.
#pragma once

#include "spi/backend.hpp"

#include <leasehold/info.hpp>
#include <leasehold/traits.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::mem {

/// Who asks: new for every claim and after every withdrawal, never reused. 0 stands for nobody.
using owner_id = std::uint64_t;

struct lock_request {
  owner_id owner = 0;
  leasehold::mode mode;
  duration ttl{};
  duration lock_delay{};
  holder_info who;  ///< what others shall see; token and times are filled in here
};

/// What became of a record that somebody wants to store.
enum class recording { stored, lost, another_there };

/// What a withdrawal met.
enum class departure { released, left_line, absent_free, absent_taken };

/// INVARIANT: the holders of a name are compatible: one exclusive; or readers; or permits, no more than the least
/// capacity asked. INVARIANT: the token counter only grows; it is one for all names and survives `forget`. INVARIANT: a
/// later arrival is never granted before an earlier one that it would keep waiting (first in, first out). REQUIRES:
/// `now` never goes back from call to call.
class lock_table {
 public:
  /// `enqueue`: a refusal takes, or keeps, a place in line; else it leaves none. A holder that asks again is granted
  /// again, with its old token. errc::mode_mismatch when the name is in use as another kind.
  result<spi::answer> attempt(time_point now, std::string_view name, lock_request const& asked, bool enqueue);
  /// The TTL newly granted; nullopt when `owner` does not hold: nothing is ever resurrected.
  std::optional<duration> renew(time_point now, std::string_view name, owner_id owner);
  /// `hold_off` keeps what was held busy that much longer, held by nobody.
  departure withdraw(time_point now, std::string_view name, owner_id owner, duration hold_off);
  /// The lease passes from `before` to `after`, with its token and what is left of its time.
  std::optional<spi::granted> hand_over(time_point now, std::string_view name, owner_id before, owner_id after);
  /// The owner evicted; 0 when no holder has `token`. Unless `free_now`, the name stays busy until the TTL granted last
  /// has passed.
  owner_id evict(time_point now, std::string_view name, std::uint64_t token, bool free_now);
  /// False when `owner` does not hold.
  bool put_note(time_point now, std::string_view name, owner_id owner, std::string_view text);
  /// Who held before `owner`, if that one's time ran out; of exclusive holders. Outer nullopt: `owner` does not hold.
  std::optional<std::optional<previous_holder>> previous(time_point now, std::string_view name, owner_id owner);
  recording put_record(time_point now, std::string_view name, owner_id owner, std::string_view value, duration window);
  [[nodiscard]] std::optional<completion> get_record(time_point now, std::string_view name);
  /// As after a crash: no holder, no line, no record. The counter stays.
  void forget() noexcept {
    names_.clear();
    ended_.clear();
    records_.clear();
  }

  [[nodiscard]] lock_info inspect(time_point now, std::string_view name);
  [[nodiscard]] std::vector<lock_info> list(time_point now, std::string_view prefix);
  /// Those in line who would be granted if they asked now.
  [[nodiscard]] std::vector<owner_id> admissible(time_point now, std::string_view name);
  /// When time alone changes something next; `max()` if never.
  [[nodiscard]] time_point next_change(std::string_view name) const;
  [[nodiscard]] time_point next_change() const;
  /// Carries out what is due at `now`; without it, each name is brought up to date when it is next asked for.
  void settle(time_point now);
  /// The names somebody waits for.
  [[nodiscard]] std::vector<std::string> contended() const;

 private:
  struct holder {
    owner_id owner = 0;  // 0: held off, by nobody
    leasehold::mode mode;
    duration ttl{};
    duration lock_delay{};
    time_point expires_at;
    holder_info who;
    std::optional<previous_holder> before{};
  };
  struct waiter {
    owner_id owner = 0;
    leasehold::mode mode;
    time_point place_until;
    holder_info who;
  };
  struct entry {
    std::vector<holder> holders;
    std::vector<waiter> line;
    [[nodiscard]] bool empty() const noexcept { return holders.empty() && line.empty(); }
  };
  using table = std::map<std::string, entry, std::less<>>;

  entry* find(time_point now, std::string_view name);
  entry& find_or_add(time_point now, std::string_view name);
  void drop_if_empty(std::string_view name);
  void grant(time_point now, std::string_view name, entry& in, lock_request const& asked);
  void expire(time_point now, std::string_view name, entry& in);
  static holder* held_by(entry& in, owner_id owner);
  static time_point next_change(entry const& in);
  static lock_info describe(std::string_view name, entry const& in);

  table names_;
  std::map<std::string, previous_holder, std::less<>> ended_;  // without release, and nobody held since
  std::map<std::string, completion, std::less<>> records_;
  std::uint64_t counter_ = 0;
  std::size_t sweep_at_ = 64;
};

/// How long a place in line lasts without a new attempt; waiters are told to come back at a third of it.
[[nodiscard]] duration place_lifetime(duration ttl) noexcept;

}  // namespace leasehold::inline v0_1::mem
