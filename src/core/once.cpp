#include <leasehold/once.hpp>

#include "core/prepare.hpp"

#include <utility>

namespace leasehold::inline v0_1 {

once_result once(store const& where, std::string_view key, duration window,
                 std::function<std::string(lease&)> const& work, once_options const& options, std::stop_token stop) {
  core::check_window(window).value();
  auto const stored = [&]() -> std::optional<once_result> {
    auto found = where.find_completion(key);
    if (!found) return std::nullopt;
    return once_result{std::move(found->result), false, found->token};
  };
  if (auto done = stored()) return std::move(*done);
  acquire_options how;
  how.ttl = options.ttl;
  how.wait = options.wait;
  how.identity = options.identity;
  how.reason = options.reason;
  how.labels = options.labels;
  how.require = options.require;
  auto held = where.acquire(key, how, std::move(stop));
  // INVARIANT: completions are recorded by holders only, so what is not there now will not be there while the lease is held.
  if (auto done = stored()) return std::move(*done);
  once_result out;
  out.value = work(held);
  held.complete(out.value, window);
  out.ran = true;
  if (held.has_token()) out.token = held.token();
  return out;
}

}  // namespace leasehold::inline v0_1
