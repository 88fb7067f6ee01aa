// Decides what is left behind when an acquisition is stopped, or destroyed, at each of its suspension points in turn.
#include "core/acquire.hpp"
#include "core/store_state.hpp"
#include "sim/client.hpp"
#include "sim/clock.hpp"
#include "sim/driver.hpp"
#include "spi/connect.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

namespace leasehold::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr duration ttl = seconds(4);

/// A holder that leaves after a while, and one contender in line behind it.
class scene {
 public:
  explicit scene(std::uint64_t seed) : world_(seed) {
    holder_ = {
        .owner = server_.new_owner(), .mode = mode::exclusive(), .ttl = seconds(30), .lock_delay = {}, .who = {}};
    static_cast<void>(server_.attempt("x", holder_, true));
    world_.post(world_.now() + milliseconds(2500),
                [this] { static_cast<void>(server_.withdraw("x", holder_.owner, {})); });
    link_->up.lost_percent = link_->down.lost_percent = 10;
    spi::claim_spec spec{};
    spec.name = "x";
    spec.ttl = ttl;
    claim_ = core_->backend->make_claim(spec);
    flow_.emplace(*core_, *claim_, "x", std::nullopt);
    flow_->begin();
    task_.emplace(flow_->finish());
    task_->start(driver_);
  }

  /// Lets time pass until the contender waits for the `n`th time; false if it is done before.
  bool run_to_wait(std::uint64_t n) {
    while (!flow_->done() && driver_.waits() < n && world_.step()) {
    }
    return !flow_->done();
  }
  void run_to_end() {
    while (!task_->done() && world_.step()) {
    }
  }
  void stop() { driver_.stop(); }
  void destroy() {
    task_.reset();
    flow_.reset();
    claim_.reset();
  }
  /// What the engine still knows of the contender `later`.
  [[nodiscard]] bool leaves_something(duration later) {
    auto const end = world_.now() + later;
    while (world_.next_event() < end && world_.step()) {
    }
    world_.pass_time_to(end);
    auto const seen = server_.table().inspect(world_.now(), "x");
    auto const others =
        server_.table().withdraw(world_.now(), "x", holder_.owner, {}) == mem::departure::released ? 1U : 0U;
    return seen.holders.size() > others || !seen.waiters.empty();
  }
  [[nodiscard]] core::acquire_flow const& flow() const { return *flow_; }

 private:
  world world_;
  server server_{world_, seconds(10)};
  mem::lock_request holder_;
  std::shared_ptr<client_clock> clock_ = std::make_shared<client_clock>(world_, 0);
  std::shared_ptr<link> link_ = std::make_shared<link>(link{.world = world_, .server = server_});
  store store_ = spi::connect({std::make_shared<backend>(link_), clock_, "sim:"}, {}).value();
  std::shared_ptr<leasehold::detail::store_state> core_ = leasehold::detail::store_access::state(store_);
  driver driver_{world_, *clock_};
  std::unique_ptr<spi::claim> claim_;
  std::optional<core::acquire_flow> flow_;
  std::optional<spi::task<void>> task_;
};

constexpr std::uint64_t seeds = 300;

TEST(cancel, CANCEL_1_a_stop_at_any_suspension_ends_the_wait_and_leaves_nothing_beyond_the_ttl) {
  std::uint64_t stops = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    for (std::uint64_t n = 1;; ++n) {
      scene s(seed);
      if (!s.run_to_wait(n)) break;
      s.stop();
      s.run_to_end();
      ++stops;
      ASSERT_TRUE(s.flow().done());
      if (s.flow().granted()) continue;  // the grant won the race: it is the caller's, not left behind
      ASSERT_EQ(s.flow().why(), errc::cancelled) << "seed " << seed << " wait " << n;
      ASSERT_FALSE(s.leaves_something(ttl + seconds(1))) << "seed " << seed << " wait " << n;
    }
  }
  EXPECT_GT(stops, 4 * seeds);
}

TEST(cancel, CANCEL_3_an_acquisition_destroyed_at_any_suspension_leaves_nothing_beyond_the_ttl) {
  std::uint64_t ends = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    for (std::uint64_t n = 1;; ++n) {
      scene s(seed);
      if (!s.run_to_wait(n)) break;
      s.destroy();
      ++ends;
      ASSERT_FALSE(s.leaves_something(ttl + seconds(6))) << "seed " << seed << " wait " << n;
    }
  }
  EXPECT_GT(ends, 4 * seeds);
}

}  // namespace
}  // namespace leasehold::sim
