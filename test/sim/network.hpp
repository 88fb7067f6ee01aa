// Decides what becomes of a message: delay, loss, duplication, reordering, a client that is cut off.
#pragma once

#include "sim/world.hpp"

#include <functional>

namespace leasehold::sim {

struct weather {
  duration delay_min = std::chrono::microseconds(100);
  duration delay_max = std::chrono::milliseconds(2);
  unsigned slow_percent = 0;  ///< delayed up to `slow_max`: overtaken by later messages
  duration slow_max = std::chrono::seconds(3);
  unsigned lost_percent = 0;
  unsigned twice_percent = 0;
};

/// One direction of one client's link, or of all: who sends says how the weather is.
class network {
 public:
  explicit network(world& in) : world_(in) {}

  void send(weather const& how, std::function<void()> const& deliver) {
    if (world_.happens(how.lost_percent)) return;
    world_.post(world_.now() + delay(how), deliver);
    if (world_.happens(how.twice_percent)) world_.post(world_.now() + delay(how), deliver);
  }

 private:
  duration delay(weather const& how) {
    if (world_.happens(how.slow_percent)) return world_.draw_between(how.delay_max, how.slow_max);
    return world_.draw_between(how.delay_min, how.delay_max);
  }

  world& world_;
};

}  // namespace leasehold::sim
