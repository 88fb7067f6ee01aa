// Decides how waiters are called: one subscribe-only connection per store, there only while somebody waits (and a moment longer).
#pragma once

#include "engines/redis/link.hpp"

#include <string>
#include <string_view>
#include <unordered_map>

namespace leasehold::inline v0_1::redis {

class subscriber;

/// A claim that may be called. Its fields are under the subscriber's guard.
struct ear {
  std::string owner;        ///< whom a message names
  bool called = false;      ///< since the last attempt began
  std::uint64_t epoch = 0;  ///< of the subscription when the last attempt began; 0: there was none
  party* listening = nullptr;
};

class subscriber final : public link {
 public:
  subscriber(settings const& to, std::string channel)
      : link(to, greeting_for_messages(to, channel)), channel_(std::move(channel)) {}

  [[nodiscard]] std::string const& channel() const noexcept { return channel_; }
  /// An attempt of `who` under the name `owner` begins: later calls count.
  void expect(ear& who, std::string_view owner);
  void forget(ear& who) noexcept;
  /// Until `who` is called, or might have missed a call (its last attempt was made without this subscription), or the driver says.
  spi::task<spi::wake> listen(ear& who, time_point until);
  /// Hangs up once nobody has waited for a while.
  void relax(time_point now) noexcept;

 private:
  struct listener;
  void on_join(party& me) override;
  void on_leave(party& me) noexcept override;
  void on_up() override;
  void on_reply(reply&& r) override;
  void on_down(failure const& why) override;

  std::string const channel_;
  std::unordered_map<std::string_view, ear*> ears_;
  std::uint64_t epoch_ = 0;  // of the present, or the last, subscription
  time_point used_at_{};
};

}  // namespace leasehold::inline v0_1::redis
