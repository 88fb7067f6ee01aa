#include "core/prepare.hpp"

#include "model/name.hpp"

#include <cstdio>
#include <numeric>

namespace leasehold::inline v0_1 {
namespace {

failure bad(errc code, std::string message, std::string hint = {}) {
  return {make_error_code(code), diagnostics(std::move(message), std::move(hint))};
}

std::string seconds_text(duration d) {
  char text[48];
  std::snprintf(text, sizeof text, "%.6gs", std::chrono::duration<double>(d).count());
  return text;
}

}  // namespace

result<void> check_name(std::string_view name) {
  auto const found = model::check_name(name);
  if (found.fault == model::name_fault::none) return {};
  auto const at = " at byte " + std::to_string(found.at);
  constexpr auto hint = "a name is 1-255 bytes of UTF-8 without control characters";
  switch (found.fault) {
    case model::name_fault::none:
      break;
    case model::name_fault::empty:
      return bad(errc::bad_name, "the name is empty", hint);
    case model::name_fault::too_long:
      return bad(errc::bad_name, "the name has " + std::to_string(name.size()) + " bytes", hint);
    case model::name_fault::control_character:
      return bad(errc::bad_name, "the name has a control character" + at, hint);
    case model::name_fault::invalid_utf8:
      return bad(errc::bad_name, "the name is not valid UTF-8" + at, hint);
  }
  return errc::internal;
}

namespace core {
namespace {

result<void> check_times(traits const& have, acquire_options const& o) {
  if (o.ttl && (*o.ttl <= duration::zero() || *o.ttl < have.ttl_min || *o.ttl > have.ttl_max)) {
    return bad(errc::bad_option, "ttl " + seconds_text(*o.ttl) + " is out of range",
               std::string(have.engine) + " takes " + seconds_text(have.ttl_min) + " to " + seconds_text(have.ttl_max));
  }
  if (o.wait && *o.wait < duration::zero()) return bad(errc::bad_option, "wait is negative", "0 means one try");
  if (o.max_hold && *o.max_hold <= duration::zero()) return bad(errc::bad_option, "max_hold is not positive");
  if (o.hold_at_least < duration::zero()) return bad(errc::bad_option, "hold_at_least is negative");
  if (o.lock_delay < duration::zero()) return bad(errc::bad_option, "lock_delay is negative");
  if (o.max_hold && o.hold_at_least > *o.max_hold) return bad(errc::bad_option, "hold_at_least exceeds max_hold");
  return {};
}

std::size_t metadata_bytes(spi::claim_spec const& spec) {
  return std::accumulate(spec.labels.begin(), spec.labels.end(), spec.identity.size() + spec.reason.size(),
                         [](std::size_t sum, label const& l) { return sum + l.key.size() + l.value.size() + 2; });
}

}  // namespace

result<void> check_not_forked(detail::store_state const& where) {
  if (!where.is_forked()) return {};
  return bad(errc::unsupported, "this store was opened before fork()", "open the store in the child");
}

result<void> check_full_name(detail::store_state const& where, std::string_view name) {
  return check_name(name.size() == where.name_space.size() ? std::string_view() : name);
}

result<void> check_records(traits const& have) {
  if (have.result_bytes_max > 0) return {};
  return bad(errc::unsupported, std::string(have.engine) + " records no completions", "use local: or redis:");
}

result<void> check_window(duration window) {
  if (window >= std::chrono::milliseconds(1) && window <= std::chrono::hours(24 * 366)) return {};
  return bad(errc::bad_option, "a completion cannot be remembered for " + seconds_text(window), "1ms to 366 days");
}

result<void> check_requirements(traits const& have, requirements const& need, bool with_ttl) {
  auto const exclusion = with_ttl ? have.exclusion_with_ttl : have.exclusion;
  auto const lacks = [&](std::string const& what, std::string hint = {}) {
    return bad(errc::unsupported, std::string(have.engine) + what, std::move(hint));
  };
  if (exclusion < need.exclusion) {
    return lacks(std::string(" does not give the exclusion required") + (with_ttl ? " with a ttl" : ""),
                 with_ttl && have.exclusion >= need.exclusion ? "leave the ttl out" : "use another engine");
  }
  if (have.fencing < need.fencing) return lacks(" does not give the fencing required");
  if (need.fifo && have.waiting != waiting::fifo) return lacks(" has no fair line");
  return {};
}

result<spi::claim_spec> prepare(detail::store_state const& where, std::string_view name,
                                acquire_options const& options) {
  if (auto ok = check_not_forked(where); !ok) return ok.get_failure();
  if (where.is_closed()) return bad(errc::cancelled, "the store was closed");
  if (auto ok = check_full_name(where, name); !ok) return ok.get_failure();
  auto const& have = where.backend->traits();
  if (auto ok = check_times(have, options); !ok) return ok.get_failure();
  if (options.mode.is_reader() && !have.shared) return bad(errc::unsupported, "this engine has no shared mode");
  if (options.mode.is_semaphore() && !have.semaphore) return bad(errc::unsupported, "this engine has no semaphores");

  result<spi::claim_spec> out{spi::claim_spec()};  // filled in place: this is on the way of every uncontended lock
  auto& spec = *out;
  spec.name = name;
  spec.mode = options.mode;
  spec.ttl = options.ttl ? options.ttl : have.ttl_default;
  spec.lock_delay = options.lock_delay;
  spec.identity = options.identity.empty() ? std::string_view(where.identity) : options.identity;
  spec.reason = options.reason;
  spec.labels = options.labels;
  spec.op_timeout = where.op_timeout;
  if (auto ok = check_requirements(have, options.require, spec.ttl.has_value()); !ok) return ok.get_failure();
  if (metadata_bytes(spec) > have.metadata_bytes_max) {
    return bad(errc::bad_option,
               "identity, reason and labels exceed " + std::to_string(have.metadata_bytes_max) + " bytes");
  }
  return out;
}

}  // namespace core
}  // namespace leasehold::inline v0_1
