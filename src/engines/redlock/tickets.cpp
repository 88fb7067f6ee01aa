// Decides how a lease passes from one process to another: its owner id is the ticket, and who takes it up gets a new one, and a new
// token, from a majority.
#include "engines/redlock/claim.hpp"
#include "engines/redlock/round.hpp"

#include <algorithm>
#include <charconv>

namespace leasehold::inline v0_1::redlock {
namespace {

constexpr std::string_view ticket_prefix = "redlock-";
constexpr std::size_t owner_bytes = 32;

/// That a permit's owner ends in.
std::optional<std::uint32_t> slot_in(std::string_view owner) {
  if (owner.size() <= owner_bytes + 1 || owner[owner_bytes] != '/') return std::nullopt;
  auto const digits = owner.substr(owner_bytes + 1);
  std::uint32_t slot = 0;
  auto const [end, bad] = std::from_chars(digits.data(), digits.data() + digits.size(), slot);
  return bad == std::errc{} && end == digits.data() + digits.size() ? std::optional(slot) : std::nullopt;
}

}  // namespace

spi::task<result<std::string>> redlock_claim::detach() {
  auto const left = co_await renew();  // proof that it is still held; the ticket's holder has the whole TTL before it
  if (!left) co_return left.get_failure();
  auto ticket = std::string(ticket_prefix) + owner_;
  state_ = state::apart;
  co_return std::move(ticket);
}

spi::task<result<spi::granted>> redlock_claim::take_over(std::string_view ticket) {
  auto const before = ticket.substr(std::min(ticket.size(), ticket_prefix.size()));
  slot_ = slot_in(before);
  if (!ticket.starts_with(ticket_prefix) || (before.size() != owner_bytes && !slot_)) {
    co_return failure{make_error_code(errc::bad_option), diagnostics("redlock: not a ticket of this engine")};
  }
  if (slot_.has_value() != (permits_ > 0)) {
    co_return failure{
        make_error_code(errc::mode_mismatch),
        diagnostics("redlock: the ticket is of another kind of lock", "adopt it as what it was detached as")};
  }
  auto& drive = co_await spi::this_driver();
  round r(drive, places_.size());
  begin(r, drive.now());
  auto const hint = from_.next_hint();
  for (std::size_t i = 0; i < places_.size(); ++i) r.asks.start(adopt_node(i, before, hint, r.until));
  co_await carry_out(r);
  from_.saw(r.machine.largest());
  if (r.step.what == model::quorum_action::done && r.left) {
    spi::granted grant{*r.left, r.step.token};
    grant.slot = slot_;
    co_return grant;
  }
  co_await let_go(r);
  if (r.said.refusals() > places_.size() - r.machine.quorum()) co_return failure{errc::lost};
  auto const why = r.said.verdict({}, from_.where().url);
  co_return why ? failure{errc::lost} : why.get_failure();
}

spi::task<result<spi::backend::adopted>> backend::adopt(spi::claim_spec const& spec, std::string_view ticket) {
  auto taken = std::make_unique<redlock_claim>(*this, spec);
  auto const grant = co_await taken->take_over(ticket);
  if (!grant) co_return grant.get_failure();
  adopted out{std::move(taken), *grant};
  co_return std::move(out);
}

}  // namespace leasehold::inline v0_1::redlock
