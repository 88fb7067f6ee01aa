// Decides how leases are renewed on a majority of the nodes: each node is asked once for all of them, all nodes at once.
#include "engines/redlock/claim.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::redlock {
namespace {

struct counted {
  model::renewal_tally tally;
  failure why{errc::outcome_unknown};
};

/// What the nodes said so far, as the keeper is to read it.
result<duration> outcome_of(counted const& c, duration ttl) {
  switch (c.tally.verdict()) {
    case model::renewal_verdict::renewed:
      return ttl;
    case model::renewal_verdict::lost:
      return errc::lost;
    case model::renewal_verdict::pending:
    case model::renewal_verdict::undecided:
      break;
  }
  return c.why;  // a minority: the deadline does not move
}

void count(std::vector<counted>& all, result<std::vector<bool>> const& kept) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& c = all[i];
    if (!kept) {
      c.tally.failed();
      c.why = kept.get_failure();
    } else if ((*kept)[i]) {
      c.tally.kept();
    } else {
      c.tally.gone();
    }
  }
}

bool all_decided(std::vector<counted> const& all) {
  return std::ranges::all_of(all, [](auto const& c) {
    auto const v = c.tally.verdict();
    return v == model::renewal_verdict::renewed || v == model::renewal_verdict::lost;
  });
}

}  // namespace

spi::task<void> backend::renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) {
  if (claims.empty()) co_return;
  auto& drive = co_await spi::this_driver();
  auto limit = op_timeout_most;
  for (auto const* c : claims) limit = std::min(limit, static_cast<redlock_claim const&>(*c).op_timeout());
  auto const until = drive.now() + limit;
  std::vector<counted> tallies(claims.size(), counted{model::renewal_tally(nodes_.size())});
  {
    spi::fan<result<std::vector<bool>>> asks(drive);
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      std::vector<spi::node_claim*> there;
      std::vector<std::string_view> owners;
      for (auto const* c : claims) {
        auto const& mine = static_cast<redlock_claim const&>(*c);
        there.push_back(&mine.at(n));
        owners.emplace_back(mine.owner());
      }
      asks.start(nodes_[n]->renew(std::move(there), std::move(owners), until));
    }
    while (!all_decided(tallies)) {
      auto const which = co_await asks.next(until);
      if (!which) break;
      count(tallies, asks.take(*which));
    }
  }
  for (std::size_t i = 0; i < claims.size(); ++i) {
    out[i] = outcome_of(tallies[i], static_cast<redlock_claim const&>(*claims[i]).ttl());
  }
}

spi::task<result<duration>> redlock_claim::renew() {
  spi::claim* self = this;
  result<duration> out = errc::outcome_unknown;
  co_await from_.renew(std::span(&self, 1), std::span(&out, 1));
  co_return std::move(out);
}

}  // namespace leasehold::inline v0_1::redlock
