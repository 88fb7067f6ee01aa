#include "spi/connect.hpp"

#include "core/notifier.hpp"
#include "core/prepare.hpp"
#include "core/report.hpp"
#include "core/store_state.hpp"
#include "spi/url.hpp"

#include <algorithm>

namespace leasehold::inline v0_1 {

namespace spi {

result<store> connect(opened engine, open_options const& options) {
  auto const& have = engine.backend->traits();
  if (auto ok = core::check_requirements(have, options.require, false); !ok) return ok.get_failure();
  if (!options.name_space.empty()) {
    if (auto ok = check_name(options.name_space); !ok) return ok.get_failure();
  }
  if (options.op_timeout && *options.op_timeout <= duration::zero()) {
    return failure{errc::bad_option, diagnostics("op_timeout is not positive")};
  }
  auto state = std::make_shared<leasehold::detail::store_state>(std::move(engine), options);
  state->start();
  return leasehold::detail::store_access::make(std::move(state));
}

backend* backend_of(store const& s) noexcept {
  auto const& state = leasehold::detail::store_access::state(s);
  return state ? state->backend.get() : nullptr;
}

time_point run_due(store const& s) {
  auto const& state = leasehold::detail::store_access::state(s);
  auto const next = state->keeper->run_due(*state);
  core::flush_notices(std::chrono::seconds(10));
  return next;
}

}  // namespace spi

namespace {

spi::engine_entry const* find_engine(std::string_view scheme) {
  auto const& all = spi::builtin_engines();
  auto const found = std::find_if(all.begin(), all.end(), [&](auto const& e) { return e.scheme == scheme; });
  return found == all.end() ? nullptr : &*found;
}

failure unknown_scheme(std::string_view scheme) {
  std::string known;
  for (auto const& e : spi::builtin_engines()) known += (known.empty() ? "" : ", ") + std::string(e.scheme) + ":";
  return {make_error_code(errc::bad_option),
          diagnostics("unknown scheme \"" + std::string(scheme) + ":\"", "this build knows " + known)};
}

/// `?require=exact,fence,fifo`: as `open_options::require`, for those who have only a URL.
result<requirements> merge_requirements(requirements need, spi::url const& u) {
  auto const text = u.get("require");
  for (std::string_view left = text ? std::string_view(*text) : ""; !left.empty();) {
    auto const word = left.substr(0, left.find(','));
    left.remove_prefix(std::min(left.size(), word.size() + 1));
    if (word == "exact") {
      need.exclusion = exclusion::exact;
    } else if (word == "timed") {
      need.exclusion = std::max(need.exclusion, exclusion::timed);
    } else if (word == "fence") {
      need.fencing = std::max(need.fencing, fencing::conditional);
    } else if (word == "fifo") {
      need.fifo = true;
    } else {
      return failure{errc::bad_option, diagnostics("require=" + std::string(word) + " is unknown",
                                                   "it takes exact, timed, fence, fifo, separated by commas")};
    }
  }
  return need;
}

result<store> open_store(std::string_view text, open_options options) {
  auto const u = spi::parse_url(text);
  if (!u) return u.get_failure();
  auto const* engine = find_engine(u->scheme);
  if (engine == nullptr) return unknown_scheme(u->scheme);
  auto const need = merge_requirements(options.require, *u);
  if (!need) return need.get_failure();
  options.require = *need;
  auto const lazy = u->get("lazy");
  if (lazy && *lazy != "0" && *lazy != "1") {
    return failure{errc::bad_option, diagnostics("lazy=" + *lazy + " is neither 0 nor 1")};
  }
  auto opened = engine->open(*u, lazy == "1");
  if (!opened) return opened.get_failure();
  return spi::connect(std::move(*opened), options);
}

}  // namespace

store open(std::string_view url, open_options const& options) { return open_store(url, options).value(); }

store open(std::string_view url, open_options const& options, std::error_code& ec, diagnostics* details) {
  return core::report(open_store(url, options), ec, details);
}

result<void> initialize(std::string_view text, std::nothrow_t) {
  auto const u = spi::parse_url(text);
  if (!u) return u.get_failure();
  auto const* engine = find_engine(u->scheme);
  return engine == nullptr ? result<void>(unknown_scheme(u->scheme)) : engine->initialize(*u);
}

void initialize(std::string_view url) { initialize(url, std::nothrow).value(); }

std::string redacted(std::string_view text) {
  auto const u = spi::parse_url(text);
  return u ? u->redacted() : "(not a URL)";
}

}  // namespace leasehold::inline v0_1
