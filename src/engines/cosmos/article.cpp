// Decides what is different in the article's dialect: the lock is an item that is there or not, so its token is kept by another document.
#include "engines/cosmos/backend.hpp"
#include "engines/cosmos/claim.hpp"
#include "engines/cosmos/names.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::cosmos {

/// INVARIANT: written before the item, so that a crash in between costs a number and never gives one out twice.
spi::task<result<std::uint64_t>> backend::next_fence(std::string name, std::uint64_t least, time_point until) {
  auto const id = std::string(fence_prefix) + name;
  for (int round = 0; round < rounds_max; ++round) {
    auto const now = co_await documents_.read(id, until);
    if (!now) co_return now.get_failure();
    bool const there = meaning_of(*now) == meaning::done;
    auto const known = there ? read_fence(now->body) : std::optional<std::uint64_t>(0);
    if (!known || *known >= number_max - 1) {
      co_return failure{make_error_code(errc::mode_mismatch),
                        diagnostics("the document that keeps this lock's tokens, " + id + ", was damaged",
                                    "look at it in the portal")};
    }
    auto const next = std::max(*known + 1, std::min(least, number_max - 1));
    auto body = write_fence(id, next);
    auto sent = there ? documents_.replace(id, std::move(body), now->etag, until)
                      : documents_.create(id, std::move(body), until);
    auto const said = co_await std::move(sent);
    if (!said) {
      // Perhaps it was written; then the number is not used, and the next one is larger.
      if (said.error() == errc::outcome_unknown)
        co_return failure{make_error_code(errc::unavailable), said.get_failure().details};
      co_return said.get_failure();
    }
    if (meaning_of(*said) == meaning::done) co_return next;
  }
  co_return failure{make_error_code(errc::unavailable),
                    diagnostics(settings_.shown + ": too many write to this lock at once")};
}

}  // namespace leasehold::inline v0_1::cosmos
