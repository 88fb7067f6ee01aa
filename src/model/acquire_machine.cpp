#include "model/acquire_machine.hpp"

#include "model/backoff.hpp"
#include "model/deadline.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::model {

acquire_step acquire_machine::start(time_point now) noexcept {
  LEASEHOLD_ASSERT(state_ == state::idle);
  once_ = wait_ && *wait_ <= duration::zero();
  if (wait_) give_up_at_ = after(now, *wait_);
  return ask();
}

acquire_step acquire_machine::ask() noexcept {
  state_ = once_ ? state::asking_once : state::asking;
  return {once_ ? acquire_action::attempt_once : acquire_action::attempt};
}

acquire_step acquire_machine::end(acquire_step last) noexcept {
  state_ = state::done;
  return last;
}

acquire_step acquire_machine::give_up(std::error_code why) noexcept {
  why_ = why;
  state_ = state::withdrawing;
  return {acquire_action::withdraw};
}

acquire_step acquire_machine::granted(time_point now, time_point deadline) noexcept {
  LEASEHOLD_ASSERT(state_ == state::asking || state_ == state::asking_once);
  if (now < deadline) return end({acquire_action::take});
  // The reply took longer than the lease: useless, and not to be left behind.
  return give_up(now < give_up_at_ ? std::error_code{} : make_error_code(errc::timed_out));
}

acquire_step acquire_machine::refused(time_point now, duration retry_after) noexcept {
  LEASEHOLD_ASSERT(state_ == state::asking || state_ == state::asking_once);
  was_answered_ = true;
  failures_ = 0;
  if (once_) return end({acquire_action::fail, {}, make_error_code(errc::timed_out)});
  if (now >= give_up_at_) return give_up(make_error_code(errc::timed_out));
  return sleep(now, retry_after);
}

acquire_step acquire_machine::sleep(time_point now, duration hint) noexcept {
  state_ = state::sleeping;
  auto const poll = hint > duration::zero() ? std::min(hint, poll_max) : poll_max;
  return {acquire_action::sleep, std::min(give_up_at_, after(now, jittered(poll, jitter_)))};
}

acquire_step acquire_machine::failed(time_point now, std::error_code why, duration retry_after) noexcept {
  LEASEHOLD_ASSERT(state_ == state::asking || state_ == state::asking_once);
  bool const in_time = !once_ && now < give_up_at_;
  if (why == errc::outcome_unknown) return give_up(in_time ? std::error_code{} : why);
  bool const try_again = in_time && ((why == errc::unavailable && was_answered_) || why == errc::probation);
  if (!try_again) return give_up(why);
  auto const pause = retry_after > duration::zero() ? retry_after : backoff(failures_++);
  return sleep(now, pause);
}

acquire_step acquire_machine::woke(time_point now, bool stopped) noexcept {
  LEASEHOLD_ASSERT(state_ == state::sleeping);
  if (stopped) return give_up(make_error_code(errc::cancelled));
  if (now >= give_up_at_) return give_up(make_error_code(errc::timed_out));
  return ask();
}

acquire_step acquire_machine::withdrawn(time_point now) noexcept {
  LEASEHOLD_ASSERT(state_ == state::withdrawing);
  if (why_) return end({acquire_action::fail, {}, why_});
  if (now >= give_up_at_) return end({acquire_action::fail, {}, make_error_code(errc::timed_out)});
  return sleep(now, backoff(failures_++));
}

}  // namespace leasehold::inline v0_1::model
