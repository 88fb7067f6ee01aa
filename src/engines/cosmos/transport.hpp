// Decides how requests travel: one pool of kept connections per store, looked after by one thread that exists while requests are under
// way and a little longer. A caller sleeps on its own driver until the thread has its answer; it may leave at any time, and its request
// then runs to its end without it.
#pragma once

#include "engines/cosmos/message.hpp"
#include "engines/cosmos/settings.hpp"
#include "spi/task.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace leasehold::inline v0_1::cosmos {

class transport {
 public:
  /// REQUIRES: libcurl can be loaded.
  explicit transport(settings const& to);
  transport(transport const&) = delete;
  transport& operator=(transport const&) = delete;
  ~transport();

  /// Any answer of the server's is one, whatever its status. Errors: errc::unavailable and errc::misconfigured: it was not sent;
  /// errc::outcome_unknown: perhaps it was; errc::cancelled: a stop, or `close`, came first, and perhaps it was. `base`: of the URL.
  spi::task<result<response>> send(std::string const& base, request r, time_point until);
  /// Ends all that is under way. Idempotent; from any thread.
  void close() noexcept;

  /// What the server's clock says, in milliseconds since 1970, or somewhat less; 0: it has never answered.
  [[nodiscard]] std::int64_t server_ms(time_point now) const noexcept;
  /// Request units that all answers together have cost.
  [[nodiscard]] double charged() const noexcept { return charged_.load(); }

 private:
  class engine;
  void note(response const& r) noexcept;

  settings const& to_;
  std::shared_ptr<engine> engine_;
  std::atomic<std::int64_t> offset_ms_{INT64_MIN};  ///< the server's clock less ours; never more than it is
  std::atomic<double> charged_{0};
};

}  // namespace leasehold::inline v0_1::cosmos
