// Decides the life of one connection: connecting, greeting, up, down. Moves bytes, never waits, never locks.
#pragma once

#include "engines/redis/greeting.hpp"
#include "engines/redis/resp.hpp"
#include "engines/redis/settings.hpp"
#include "engines/redis/stream.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::redis {

/// What the one who waits on behalf of a connection waits for.
struct readiness {
  std::shared_ptr<stream const>
      keep;  ///< whoever waits keeps the descriptor from being closed, and its number from being given away
  int fd = -1;
  short events = 0;
  time_point until = time_point::max();
};

/// Not thread-safe.
class wire {
 public:
  wire(settings const& to, greeting hello) : to_(to), hello_(std::move(hello)) {}

  [[nodiscard]] bool is_up() const noexcept { return phase_ == phase::up; }
  [[nodiscard]] bool is_down() const noexcept { return phase_ == phase::down; }
  /// REQUIRES: down. Errors: as of connecting.
  result<void> open(time_point now);
  void close() noexcept;
  /// REQUIRES: up. The bytes leave now as far as the socket takes them.
  result<void> send(std::string_view bytes);
  /// Moves what can be moved; after a failure the connection is down.
  result<void> advance(time_point now);
  /// The next reply behind the greeting. REQUIRES: up. nullopt: none has come yet.
  [[nodiscard]] std::optional<reply> receive() { return replies_.next(); }
  [[nodiscard]] readiness awaits() const noexcept;
  /// When bytes last came.
  [[nodiscard]] time_point heard_at() const noexcept { return heard_at_; }

 private:
  enum class phase { down, connecting, introducing, up };

  result<void> go(time_point now);
  result<void> flush();
  result<void> fill(time_point now);
  result<void> greet();
  [[nodiscard]] failure broken(std::string_view how) const;

  settings const& to_;
  greeting const hello_;
  phase phase_ = phase::down;
  std::shared_ptr<stream> stream_;
  unsigned attempts_ = 0;
  std::size_t greeted_ = 0;
  std::string out_;
  std::size_t written_ = 0;  // of out_
  short blocked_on_ = 0;     // what connecting cannot go on without
  bool backed_up_ = false;   // bytes wait for room in the socket
  parser replies_;
  time_point give_up_at_{};
  time_point heard_at_{};
};

}  // namespace leasehold::inline v0_1::redis
