// Decides whether the simulator would notice: each mutant breaks one rule of the contract, and some seed must expose
// it.
#include "sim/run.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>

namespace leasehold::sim {

struct mutant {
  std::string name;
  std::function<void(run_options&)> apply;
  test::violation_kind expected;
};

void PrintTo(mutant const& m, std::ostream* out) { *out << m.name; }

namespace {

constexpr std::uint64_t seeds_max = 3000;

class mutants : public testing::TestWithParam<mutant> {};

TEST_P(mutants, SIM_3_the_checker_catches_a_broken_rule) {
  for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
    run_options options{.seed = seed};
    GetParam().apply(options);
    for (auto const& v : run(options).violations) {
      if (v.kind != GetParam().expected) continue;
      RecordProperty("seed", static_cast<int>(seed));
      return;
    }
  }
  FAIL() << GetParam().name << " went unnoticed in " << seeds_max << " seeds";
}

using enum test::violation_kind;

#define MUTANT(part, flag, kind)                             \
  mutant {                                                   \
#flag, [](run_options & o) { o.part.flag = true; }, kind \
  }

INSTANTIATE_TEST_SUITE_P(
    , mutants,
    testing::Values(MUTANT(client, deadline_from_reply, overlap), MUTANT(client, no_margin, overlap),
                    MUTANT(client, grants_on_push, overlap), MUTANT(client, unknown_is_granted, overlap),
                    MUTANT(client, unknown_is_renewed, overlap), MUTANT(client, late_renewal_counts, resurrected),
                    MUTANT(client, ignores_deadline, overlap), MUTANT(client, loss_is_ignored, overlap),
                    MUTANT(client, reuses_owner, overlap),
                    mutant{"extra_capacity", [](run_options& o) { o.client.extra_capacity = 1; }, over_capacity},
                    MUTANT(server, resurrects, overlap), MUTANT(server, releases_by_name, overlap),
                    MUTANT(server, evicts_at_once, overlap), MUTANT(server, forgets_tokens, token_order),
                    MUTANT(server, skips_probation, overlap)),
    [](auto const& which) { return which.param.name; });

}  // namespace
}  // namespace leasehold::sim
