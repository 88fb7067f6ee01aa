// Decides how one acquisition is carried out: the shell that does what the acquire machine says, on whatever driver.
#pragma once

#include "core/store_state.hpp"
#include "model/acquire_machine.hpp"
#include "spi/backend.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::core {

/// A claim was granted.
struct hold {
  time_point sent_at{};
  spi::granted grant;
};

/// What a claim answers without suspending, if it can.
struct opening {
  time_point sent_at{};  ///< zero where no time was asked for
  std::optional<result<spi::answer>> answer;

  /// The hold, if it is one and no time can have run out meanwhile. The clock is read once, or not at all where the engine says
  /// when it granted.
  [[nodiscard]] std::optional<hold> plain_hold(spi::environment const& env) const;
};
/// `timed`: the claim has a TTL, so what it grants counts from before it was asked.
[[nodiscard]] opening ask_at_once(spi::environment const& env, spi::claim& claim, std::optional<duration> wait,
                                  bool timed);

void tell_acquired(detail::store_state& where, std::string_view name, hold const& held, time_point called_at);

/// One acquisition on one claim. After `done()`: `granted()` and its parts, or `why()`; a failed one has left nothing behind.
/// The claim and the name outlive it; not thread-safe.
class acquire_flow {
 public:
  acquire_flow(detail::store_state& where, spi::claim& claim, std::string_view name, std::optional<duration> wait);

  /// As far as it goes without suspending.
  void begin() { begin(ask_at_once(*where_.env, claim_, wait_, true)); }
  void begin(opening const& first);
  [[nodiscard]] bool done() const noexcept { return done_; }
  /// `finish` on this thread. A close of the store ends the wait, and waits until its place in line is given up.
  void run(std::stop_token const& stop);
  /// The rest, and the words for a failure. REQUIRES: `begin()`.
  spi::task<void> finish();

  [[nodiscard]] bool granted() const noexcept { return granted_; }
  [[nodiscard]] spi::granted const& grant() const noexcept { return grant_; }
  [[nodiscard]] time_point sent_at() const noexcept { return sent_at_; }
  [[nodiscard]] core::hold hold() const noexcept { return {sent_at_, grant_}; }
  [[nodiscard]] std::error_code why() const noexcept { return why_; }
  [[nodiscard]] diagnostics const& details() const noexcept { return details_; }
  /// The last refusal.
  [[nodiscard]] spi::busy const& refusal() const noexcept { return busy_; }
  /// Who is in the way, asked of the engine unless the refusal said it; null if nobody is there any more.
  spi::task<std::shared_ptr<holder_info const>> holder();

 private:
  model::acquire_step take(result<spi::answer> const& answer);
  void settle(model::acquire_step const& step);
  spi::task<result<spi::answer>> ask(model::acquire_action how);
  spi::task<void> tell_waiting();
  spi::task<void> describe_failure();

  detail::store_state& where_;
  spi::claim& claim_;
  std::string_view name_;
  std::optional<duration> wait_;
  model::acquire_machine machine_;
  model::acquire_step step_{};
  time_point started_at_{};
  time_point sent_at_{};
  spi::granted grant_;
  spi::busy busy_;
  std::error_code why_;
  diagnostics details_;
  std::optional<std::uint64_t> told_token_;
  std::optional<std::uint32_t> told_ahead_;
  bool told_ = false;
  bool granted_ = false;
  bool done_ = false;
};

}  // namespace leasehold::inline v0_1::core
