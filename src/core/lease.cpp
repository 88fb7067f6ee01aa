#include <leasehold/lease.hpp>

#include "core/lease_state.hpp"

#include <algorithm>
#include <utility>

namespace leasehold::inline v0_1 {

lease::lease(detail::lease_ref state) noexcept : state_(std::move(state)) {}

lease& lease::operator=(lease&& other) noexcept {
  if (this != &other) {
    if (state_) static_cast<void>(state_->release());
    state_ = std::move(other.state_);
  }
  return *this;
}

lease::~lease() {
  if (state_) static_cast<void>(state_->release());
}

std::string_view lease::name() const noexcept { return state_->name(); }
mode lease::mode() const noexcept { return state_->lock_mode(); }
bool lease::has_token() const noexcept { return state_->token().has_value(); }
std::optional<std::uint32_t> lease::slot() const noexcept { return state_->slot(); }
time_point lease::deadline() const noexcept { return state_->deadline(); }
time_point lease::acquired_at() const noexcept { return state_->acquired_at(); }
bool lease::held() const noexcept { return state_->held(); }
std::stop_token lease::lost() const { return state_->lost_token(); }
std::error_code lease::error() const noexcept { return state_->error(); }

std::uint64_t lease::token() const {
  if (auto const t = state_->token()) return *t;
  throw leasehold::error(errc::unsupported,
                         diagnostics("this engine gives no fencing tokens", "ask has_token() first"));
}

duration lease::remaining() const noexcept {
  auto const until = state_->deadline();
  if (!state_->held()) return duration::zero();
  return until == time_point::max() ? duration::max() : std::max(until - state_->where().now(), duration::zero());
}

void lease::checkpoint(std::error_code& ec) const noexcept {
  ec = state_->held() ? std::error_code{} : make_error_code(errc::lost);
}

void lease::checkpoint() const {
  if (state_->held()) return;
  throw lease_lost(errc::lost, diagnostics("the lease of " + std::string(state_->name()) + " is lost",
                                           "stop using the resource; acquire again if the work is still wanted"));
}

void lease::renew(std::error_code& ec) { ec = state_->renew(); }

void lease::renew() {
  if (auto const ec = state_->renew())
    failure(ec, diagnostics("renewing " + std::string(state_->name()) + " failed")).raise();
}

void lease::release(std::error_code& ec) noexcept { ec = state_->release(); }

void lease::release() {
  if (auto const ec = state_->release()) failure(ec, diagnostics("releasing " + std::string(state_->name()))).raise();
}

std::string lease::detach() {
  auto ticket = state_->detach();
  if (!ticket) ticket.get_failure().raise();
  state_.reset();
  return std::move(*ticket);
}

try_result::try_result(leasehold::lease granted) noexcept : lease_(std::move(granted)) {}
try_result::try_result(duration retry_after, std::optional<std::uint32_t> ahead,
                       std::shared_ptr<holder_info const> holder) noexcept
    : retry_after_(retry_after), ahead_(ahead), holder_(std::move(holder)) {}

}  // namespace leasehold::inline v0_1
