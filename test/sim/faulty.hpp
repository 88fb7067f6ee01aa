// Decides how a client may be wrong: claims that forward to a right one and bend one rule of the contract each, so that
// tests can prove that the checker would see it.
#pragma once

#include "model/deadline.hpp"
#include "spi/backend.hpp"

#include <memory>
#include <utility>

namespace leasehold::sim {

struct client_mutation {
  bool deadline_from_reply = false;  ///< counts the TTL from the reply, not from before the request
  bool no_margin = false;            ///< relies on all of the TTL, clock error included
  bool grants_on_push = false;       ///< takes a wake-up for a grant
  bool unknown_is_granted = false;   ///< takes an unanswered attempt for a grant
  bool unknown_is_renewed = false;   ///< takes an unanswered renewal for a renewal
  bool late_renewal_counts = false;  ///< a reply after the deadline brings the lease back
  bool ignores_deadline = false;     ///< holds on until the engine itself says that it is lost
  bool loss_is_ignored = false;      ///< goes on after the engine said that it is lost
  bool reuses_owner = false;         ///< keeps its owner id over a withdrawal
  std::uint32_t extra_capacity = 0;  ///< asks for more permits than it was told to
};

/// A claim like `inner`, but for `wrong`.
class faulty_claim final : public spi::claim {
 public:
  faulty_claim(std::unique_ptr<spi::claim> inner, client_mutation const& wrong, duration ttl)
      : inner_(std::move(inner)), wrong_(wrong), ttl_(ttl) {}

  spi::task<result<spi::answer>> attempt() override {
    if (std::exchange(pushed_, false)) co_return made_up();
    auto& drive = co_await spi::this_driver();
    auto const sent_at = drive.now();
    auto answer = co_await inner_->attempt();
    co_return bend(std::move(answer), drive.now() - sent_at);
  }
  spi::task<result<spi::answer>> attempt_once() override {
    auto& drive = co_await spi::this_driver();
    auto const sent_at = drive.now();
    auto answer = co_await inner_->attempt_once();
    co_return bend(std::move(answer), drive.now() - sent_at);
  }
  spi::task<result<duration>> renew() override {
    auto& drive = co_await spi::this_driver();
    auto const sent_at = drive.now();
    auto answer = co_await inner_->renew();
    if (!answer && answer.error() == errc::outcome_unknown && wrong_.unknown_is_renewed) co_return ttl_;
    if (!answer && answer.error() == errc::lost && wrong_.loss_is_ignored) co_return ttl_;
    if (answer) co_return longer(*answer, drive.now() - sent_at);
    co_return answer;
  }
  spi::task<result<void>> withdraw(duration hold_off) override {
    auto done = co_await inner_->withdraw(hold_off);
    co_return done;
  }
  spi::task<spi::wake> changed(time_point until) override {
    auto const why = co_await inner_->changed(until);
    pushed_ = why == spi::wake::ready && wrong_.grants_on_push;
    co_return why;
  }

 private:
  [[nodiscard]] result<spi::answer> made_up() const { return spi::answer{spi::granted{ttl_, std::nullopt}}; }
  [[nodiscard]] duration longer(duration ttl, duration round_trip) const {
    if (wrong_.deadline_from_reply) ttl += round_trip;
    if (wrong_.no_margin) ttl += ttl / 99 + model::timer_slack + std::chrono::milliseconds(1);
    return ttl;
  }
  [[nodiscard]] result<spi::answer> bend(result<spi::answer> answer, duration round_trip) const {
    if (!answer && answer.error() == errc::outcome_unknown && wrong_.unknown_is_granted) return made_up();
    if (!answer) return answer;
    if (auto* grant = std::get_if<spi::granted>(&*answer)) grant->ttl = longer(*grant->ttl, round_trip);
    return answer;
  }

  std::unique_ptr<spi::claim> inner_;
  client_mutation const wrong_;
  duration const ttl_;
  bool pushed_ = false;
};

}  // namespace leasehold::sim
