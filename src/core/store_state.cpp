#include "core/store_state.hpp"

#include "core/lease_state.hpp"
#include "model/deadline.hpp"

#include <random>

namespace leasehold::inline v0_1::detail {
namespace {

class real_environment final : public spi::environment {
 public:
  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
  [[nodiscard]] double jitter() noexcept override {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(generator);
  }
};

std::shared_ptr<spi::environment> environment_or_real(std::shared_ptr<spi::environment> env) {
  static auto const real = std::make_shared<real_environment>();
  return env ? std::move(env) : real;
}

}  // namespace

store_state::store_state(spi::opened engine, open_options const& options)
    : backend(std::move(engine.backend)),
      env(environment_or_real(std::move(engine.env))),
      url(std::move(engine.url)),
      identity(options.identity),
      name_space(options.name_space),
      op_timeout(options.op_timeout),
      keeper(std::make_shared<core::keeper>()),
      fork_epoch_((core::watch_forks(), core::fork_epoch())) {}

void store_state::start() {
  keeper->start(weak_from_this(), env->is_virtual());
  backend->on_revocation([weak = std::weak_ptr(keeper)] {
    if (auto k = weak.lock()) k->sweep();
  });
}

store_state::~store_state() {
  if (is_forked()) return;
  keeper->stop(duration::zero());
  backend->on_revocation({});
  backend->close();
}

bool store_state::close(duration timeout) {
  if (is_forked()) return true;  // everything here is the parent's, locks held by its threads included
  auto const until = model::after(clock::now(), timeout);
  closed.store(true, std::memory_order_release);
  closing.request_stop();
  auto const left = [&] { return std::max(until - clock::now(), duration::zero()); };
  for (auto const& who : leases.all()) static_cast<void>(who->release(model::after(now(), left())));
  bool in_time = clock::now() < until;
  for (auto n = visitors_.load(); n != 0; n = visitors_.load()) {
    if (clock::now() >= until) in_time = false;
    if (!in_time) break;
    spi::futex_wait const change{&visitors_, n, false};
    core::futex_wait_any({&change, 1}, left());
  }
  in_time = keeper->stop(left()) && in_time;
  core::flush_notices(left());
  backend->close();
  return in_time;
}

}  // namespace leasehold::inline v0_1::detail
