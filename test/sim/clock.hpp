// Decides what a simulated client's clock shows: the world's time, running a little too fast or too slow.
#pragma once

#include "sim/world.hpp"
#include "spi/backend.hpp"

namespace leasehold::sim {

class client_clock : public spi::environment {
 public:
  /// `drift_ppm` parts per million fast (> 0) or slow; |drift| ≤ 10'000 is what the margin ρ must cover.
  client_clock(world& in, int drift_ppm) : world_(in), begin_(in.now()), drift_(drift_ppm) {}

  [[nodiscard]] time_point now() const noexcept override { return shown_at(world_.now()); }
  [[nodiscard]] double jitter() noexcept override { return static_cast<double>(world_.draw(1000)) / 1000; }
  [[nodiscard]] bool is_virtual() const noexcept override { return true; }

  /// The first instant of the world at which this clock shows `shown` or more.
  [[nodiscard]] time_point in_world(time_point shown) const noexcept {
    if (shown == time_point::max()) return shown;
    auto const passed = shown - begin_;
    auto when = begin_ + passed - passed / (million + drift_) * drift_ - duration(2);
    when -= passed % (million + drift_) * drift_ / (million + drift_);
    while (shown_at(when) < shown) when += duration(1);
    return when;
  }

 private:
  static constexpr int million = 1'000'000;
  [[nodiscard]] time_point shown_at(time_point real) const noexcept {
    auto const passed = real - begin_;
    return real + passed / million * drift_ + passed % million * drift_ / million;
  }

  world& world_;
  time_point const begin_;
  int const drift_;
};

}  // namespace leasehold::sim
