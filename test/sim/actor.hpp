// Decides what one simulated client does: takes locks through the real acquire flow, keeps them by the real keeper
// machine, gives them back; and writes down what it saw.
#pragma once

#include "core/acquire.hpp"
#include "core/store_state.hpp"
#include "model/keeper_machine.hpp"
#include "sim/client.hpp"
#include "sim/clock.hpp"
#include "sim/driver.hpp"
#include "sim/faulty.hpp"
#include "support/history.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace leasehold::sim {

/// What the actors of one run share.
struct stage {
  sim::world& world;
  sim::server& server;
  weather sky{};
  client_mutation wrong{};
  bool is_healed = false;
  std::vector<test::operation> history{};
};

class actor {
 public:
  actor(stage& on, std::uint32_t id, int drift_ppm);

  void start();
  /// The process dies where it stands; another one takes its place, with a connection of its own.
  void crash();
  void pause(duration how_long) { driver_->pause_until(stage_.world.now() + how_long); }
  void cut(bool is_cut) { link_->is_cut = is_cut; }
  void set_weather();
  /// Has taken a lock since the stage was healed.
  [[nodiscard]] bool is_satisfied() const noexcept { return is_satisfied_; }

 private:
  struct wish {
    std::string name{};
    leasehold::mode mode{};
    duration ttl{};
    duration hold{};
    std::optional<duration> wait{};
  };

  spi::task<void> work();
  spi::task<void> one_round();
  spi::task<void> keep(spi::claim& held, duration how_long);
  spi::task<bool> renew(spi::claim& held);
  spi::task<void> release(spi::claim& held);
  spi::task<void> sleep_until(time_point when);
  [[nodiscard]] wish next_wish();
  [[nodiscard]] bool relies_at(time_point now) const noexcept {
    return stage_.wrong.ignores_deadline || now < keep_.deadline;
  }
  void record_end();

  stage& stage_;
  std::uint32_t const id_;
  std::shared_ptr<client_clock> clock_;
  std::shared_ptr<link> link_;
  store store_;
  std::unique_ptr<driver> driver_;
  std::optional<spi::task<void>> task_;
  std::optional<test::operation> now_;  // the acquisition under way, or the hold it led to
  model::keeper_machine keep_;
  bool is_satisfied_ = false;
};

}  // namespace leasehold::sim
