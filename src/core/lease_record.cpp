#include "core/blocking_driver.hpp"
#include "core/lease_state.hpp"
#include "core/prepare.hpp"
#include "core/report.hpp"
#include "model/deadline.hpp"
#include "model/name.hpp"

#include <algorithm>
#include <utility>

namespace leasehold::inline v0_1 {
namespace {

failure bad_option(std::string message, std::string hint) {
  return {make_error_code(errc::bad_option), diagnostics(std::move(message), std::move(hint))};
}

result<void> check_note(traits const& have, mode how, std::string_view text) {
  if (have.note_bytes_max == 0) {
    return failure{errc::unsupported,
                   diagnostics(std::string(have.engine) + " keeps no notes", "use local: or redis:")};
  }
  if (!how.is_exclusive()) {
    return failure{errc::unsupported, diagnostics("readers and permits have no notes", "only an exclusive lease has")};
  }
  if (text.size() > have.note_bytes_max) {
    return bad_option("the note has " + std::to_string(text.size()) + " bytes",
                      "at most " + std::to_string(have.note_bytes_max));
  }
  auto const fault = model::check_name(text).fault;
  if (fault == model::name_fault::none || fault == model::name_fault::empty) return {};
  return bad_option("the note is not UTF-8 without control characters", "write one line of text");
}

result<void> check_completion(traits const& have, mode how, std::string_view value, duration window) {
  if (auto ok = core::check_records(have); !ok) return ok;
  if (!how.is_exclusive()) {
    return failure{errc::unsupported,
                   diagnostics("readers and permits complete nothing", "only an exclusive lease does")};
  }
  if (value.size() > have.result_bytes_max) {
    return bad_option("the result has " + std::to_string(value.size()) + " bytes; nothing was recorded",
                      "at most " + std::to_string(have.result_bytes_max) + ": store it elsewhere, and record where");
  }
  return core::check_window(window);
}

failure lost_lease(std::string_view name) {
  return {make_error_code(errc::lost), diagnostics("the lease of " + std::string(name) + " is lost",
                                                   "nothing was recorded; somebody else may do the work")};
}

}  // namespace

namespace detail {

template <class T>
result<T> lease_state::ask_claim(spi::task<result<T>> question) {
  core::blocking_driver driver(*store_->env);
  auto t = std::move(question);  // ends before the driver that it waits on
  t.start(driver);
  auto const limit = model::after(store_->now(), request_limit());
  if (!driver.run_until(t, std::min(limit, keep_.deadline))) return errc::outcome_unknown;
  auto answer = t.take();
  if (answer.error() != errc::lost) return answer;
  lose(errc::lost);
  return lost_lease(name());
}

result<void> lease_state::put_note(std::string_view text) {
  if (auto ok = check_note(store_->backend->traits(), mode_, text); !ok) return ok;
  std::lock_guard hold(claim_guard_);
  if (!held()) return lost_lease(name());
  return ask_claim(claim_->put_note(text));
}

result<std::optional<previous_holder>> lease_state::previous() {
  if (auto ok = check_note(store_->backend->traits(), mode_, {}); !ok) return ok.get_failure();
  std::lock_guard hold(claim_guard_);
  if (!held()) return lost_lease(name());
  return ask_claim(claim_->previous());
}

/// A reply that was lost is asked for again: the claim's own record is found then, and nobody else's is touched.
result<void> lease_state::complete(std::string_view value, duration window) {
  if (auto ok = check_completion(store_->backend->traits(), mode_, value, window); !ok) return ok;
  std::lock_guard hold(claim_guard_);
  constexpr int tries = 3;
  result<void> done = errc::outcome_unknown;
  for (int i = 0; i < tries && done.error() == errc::outcome_unknown; ++i) {
    if (!held()) return i == 0 ? lost_lease(name()) : done;
    done = ask_claim(claim_->put_record(value, window));
  }
  return done;
}

}  // namespace detail

void lease::note(std::string_view text) { state_->put_note(text).value(); }
void lease::note(std::string_view text, std::error_code& ec) { ec = state_->put_note(text).error(); }

std::optional<previous_holder> lease::previous() const { return state_->previous().value(); }
std::optional<previous_holder> lease::previous(std::error_code& ec) const {
  return core::report(state_->previous(), ec);
}

void lease::complete(std::string_view result, duration window) { state_->complete(result, window).value(); }
void lease::complete(std::string_view result, duration window, std::error_code& ec, diagnostics* details) {
  auto const done = state_->complete(result, window);
  ec = done.error();
  if (!done && details != nullptr) *details = done.get_failure().details;
}

}  // namespace leasehold::inline v0_1
