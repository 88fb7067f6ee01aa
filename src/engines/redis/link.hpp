// Decides how callers share one connection: the first who needs something waits for the socket on behalf of all; the others
// sleep until they are told. No thread of its own.
//
// INVARIANT: whatever a party waits for, some party that is not done waits for the socket (the leader), or the last one has left.
// INVARIANT: wakers are called without `guard_`.
#pragma once

#include "engines/redis/wire.hpp"
#include "spi/task.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace leasehold::inline v0_1::redis {

/// A caller that waits on a link. Under the link's guard.
struct party {
  std::shared_ptr<spi::waker> waker;
  bool foreign = false;  ///< its driver is somebody else's event loop, which may be busy with other things
  bool done = false;
  std::size_t place = 0;  ///< the link's
};

class link {
 public:
  link(settings const& to, greeting hello) : to_(to), wire_(to, std::move(hello)) {}
  link(link const&) = delete;
  link& operator=(link const&) = delete;
  virtual ~link() = default;

  /// Ends all waits; nothing is sent any more. Idempotent.
  void close() noexcept;

 protected:
  /// Waits until `me` is done (ready), or as the driver says. `me` takes part, as a leader if need be, meanwhile.
  spi::task<spi::wake> attend(std::shared_ptr<party> me, time_point until);

  // What a kind of link does; all under `guard_`.
  virtual void on_join(party& me) = 0;
  virtual void on_leave(party& me) noexcept = 0;
  virtual void on_up() {}
  /// While up: sends what is to be sent.
  virtual void on_turn() {}
  virtual void on_reply(reply&& r) = 0;
  virtual void on_down(failure const& why) = 0;
  /// The server owes an answer since then; max(): nothing.
  [[nodiscard]] virtual time_point owed_since() const noexcept { return time_point::max(); }

  void finish(party& who);
  void finish_all();
  /// REQUIRES: up.
  void send(std::string_view bytes);
  [[nodiscard]] bool is_closed() const noexcept { return closed_; }

  settings const& to_;
  std::mutex guard_;
  wire wire_;
  time_point now_{};  ///< as the caller of the moment sees it

 private:
  struct attendance;
  struct plan {
    bool done = false;
    spi::wait_request sleep{};
    std::shared_ptr<stream const> keep{};
  };

  /// Joins or goes on; what to sleep for.
  plan take_turn(party& me, time_point now, time_point until, bool fresh);
  void advance();
  void went_down(failure const& why);
  [[nodiscard]] bool may_lead(party const& me) const noexcept;
  void leave(party& me) noexcept;
  std::vector<std::shared_ptr<spi::waker>> take_woken() noexcept { return std::exchange(woken_, {}); }

  std::vector<party*> parties_;
  party* leader_ = nullptr;
  party* acting_ = nullptr;  // the one whose thread this is; it needs no waking
  time_point led_at_{};
  std::vector<std::shared_ptr<spi::waker>> woken_;  // to be called once the guard is free
  time_point next_try_{};
  int failures_ = 0;
  bool closed_ = false;
};

}  // namespace leasehold::inline v0_1::redis
