// Decides how a lease is handed to another process: by a ticket that names its entry.
#include "engines/cosmos/claim.hpp"
#include "engines/cosmos/ticket.hpp"

#include <utility>

namespace leasehold::inline v0_1::cosmos {

spi::task<result<std::string>> cosmos_claim::detach() {
  auto const left = co_await renew();  // proof that it is still held; the ticket's holder has the whole TTL before it
  if (!left) co_return left.get_failure();
  auto text = ticket_text(ticket{owner_, boot(), good_until_});
  begin_anew();
  co_return text;
}

spi::task<result<spi::granted>> cosmos_claim::take_over(std::string text) {
  auto const of = read_ticket(text);
  if (!of) co_return failure{make_error_code(errc::bad_option), diagnostics("cosmos: not a ticket of this engine")};
  auto& drive = co_await spi::this_driver();
  auto const sent_at = drive.now();
  auto const until = sent_at + patience_;
  for (int round = 0; round < rounds_max; ++round) {
    auto now = co_await from_.look(name_, until);
    if (!now) co_return now.get_failure();
    if (!now->what) co_return failure{errc::lost};
    auto const* const before = find_owner(*now->what, of->owner);
    auto const* const mine = find_owner(*now->what, owner_);
    if (mine == nullptr) {
      bool const over = of->boot == boot()
                            ? drive.now() >= of->until
                            : before != nullptr && from_.judge(*now->what, drive.now())(*before) <= duration::zero();
      if (before == nullptr || over) co_return failure{errc::lost};
      auto next = renewed(*now->what, of->owner);
      auto* const taken = find_owner(next, of->owner);
      auto const token = taken->token;
      auto const beat = taken->beat;
      auto const since = taken->since;
      *taken = self_;
      taken->owner = owner_;
      taken->token = token;
      taken->beat = beat;
      taken->since = since;
      state_ = state::in_doubt;
      doubt_ = doubt{next.etag};
      auto const how = co_await write(std::move(next), until);
      if (!how) co_return how.get_failure();
      if (*how != written::done) continue;
    } else {
      last_ = std::move(*now->what);
    }
    auto const answer = held(std::move(last_), sent_at);
    co_return std::get<spi::granted>(*answer);
  }
  co_return failure{make_error_code(errc::unavailable),
                    diagnostics(from_.where().shown + ": too many write to this lock at once")};
}

}  // namespace leasehold::inline v0_1::cosmos
