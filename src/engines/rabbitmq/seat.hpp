// Decides what one contender's place at the broker is: a consumer on the lock's queue, what it has in hand, and what others may see of it.
#pragma once

#include "engines/rabbitmq/pump.hpp"
#include "engines/rabbitmq/token.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace leasehold::inline v0_1::rabbitmq {

enum class phase {
  joining,     ///< not known yet
  waiting,     ///< in line
  recovering,  ///< has a crashed holder's token, and waits until that one cannot believe in it any more
  ready,       ///< may hold
  held,
  gone,  ///< neither waits nor holds, or is about to; `why` says more
};

/// 128 random bits from the kernel, in hexadecimal.
[[nodiscard]] std::string new_id();

struct seat {
  seat(std::string lock_name, std::string queue_name, bool just_once)
      : name(std::move(lock_name)), queue(std::move(queue_name)), once(just_once) {}

  // Constant once it is posted.
  std::string const name;
  std::string const queue;
  std::string const tag = new_id();  ///< consumer tag and owner id
  bool const once;                   ///< leaves nothing behind when refused
  duration ttl{};
  duration lock_delay{};
  duration patience{};
  fields who;
  time_point since{};

  // Shared between its claim and the pump.
  std::mutex guard;
  rabbitmq::phase now = phase::joining;
  std::optional<failure> why;                  ///< of gone; absent: busy (once), or as asked
  bool left = false;                           ///< of gone: the broker knows
  std::optional<failure> left_as;              ///< absent: in order
  std::optional<time_point> leave_by_request;  ///< set with `gone`, so that nobody sees the one without the other
  std::uint64_t fence = 0;
  time_point sent_at{};     ///< of the last request whose answer proved that it still holds
  time_point expires_at{};  ///< nobody believes in its lease from then on
  time_point free_at{};     ///< of recovering
  std::shared_ptr<spi::waker> waker;
  std::shared_ptr<std::atomic<bool>> revoked;  ///< its claim's, which is asked by any thread at any time

  // The pump's.
  bell event;
  std::uint64_t epoch = 0;
  bool settled = false;    ///< `hand` is one token, which stays
  bool cancelled = false;  ///< the queue is gone
  std::optional<failure> strange;
  std::vector<in_hand> hand;
  std::uint64_t seen = 0;  ///< the largest generation that came by
  time_point owed = time_point::min();
  std::optional<time_point> leave_at;  ///< asked to
  time_point cycle_at = time_point::max();
  std::string ask_back;  ///< who wants to hear when it has left
  std::string answer;

  /// REQUIRES: the pump's thread, under the guard.
  void note_request() noexcept {
    if (!leave_at) leave_at = leave_by_request;
  }
  [[nodiscard]] duration worst() const noexcept { return ttl + lock_delay; }
  /// Tells the claim.
  void become(rabbitmq::phase p);
  void end(std::optional<failure> reason);
  void note_left(std::optional<failure> as);
  /// Whether it was held: a loss that nobody asked for.
  bool lose(failure const& reason);
  bool lose_with_connection();
  bool lose_with_queue();
};

/// A seat from its joining until the broker has everything back.
spi::task<void> live(pump& p, std::shared_ptr<seat> s);

}  // namespace leasehold::inline v0_1::rabbitmq
