#include "sim/actor.hpp"

#include "spi/connect.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace leasehold::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

actor::actor(stage& on, std::uint32_t id, int drift_ppm)
    : stage_(on), id_(id), clock_(std::make_shared<client_clock>(on.world, drift_ppm)) {}

void actor::start() {
  link_ = std::make_shared<link>(link{.world = stage_.world, .server = stage_.server});
  link_->reuses_owner = stage_.wrong.reuses_owner;
  set_weather();
  store_ = spi::connect({std::make_shared<backend>(link_), clock_, "sim:"}, {}).value();
  driver_ = std::make_unique<driver>(stage_.world, *clock_);
  task_.emplace(work());
  task_->start(*driver_);
}

void actor::crash() {
  task_.reset();
  if (now_) {
    if (now_->outcome != test::outcome::granted) {
      now_->outcome = test::outcome::unknown;
      now_->returned = stage_.world.now();
    }
    record_end();
  }
  driver_.reset();
  start();
}

void actor::set_weather() {
  link_->up = stage_.sky;
  link_->down = stage_.sky;
}

actor::wish actor::next_wish() {
  auto& chance = stage_.world;
  static constexpr std::array<duration, 3> ttls{milliseconds(600), seconds(2), seconds(8)};
  wish w{.name = "mutex", .mode = mode::exclusive()};
  if (chance.happens(35)) w.mode = mode::reader();
  if (chance.happens(40)) w = {.name = "permits", .mode = mode::semaphore(2)};
  w.ttl = ttls[chance.draw(ttls.size())];
  w.hold = chance.draw_between(duration::zero(), chance.happens(30) ? seconds(12) : seconds(1));
  w.wait = seconds(chance.draw(8));
  if (stage_.is_healed) w.wait.reset();
  return w;
}

spi::task<void> actor::sleep_until(time_point when) {
  auto& drive = co_await spi::this_driver();
  spi::wait_request nap{};
  nap.until = when;
  while (drive.now() < when) co_await spi::wait_on(nap);
}

spi::task<void> actor::work() {
  for (;;) {
    auto const pause = stage_.world.draw_between(duration::zero(), seconds(1));
    co_await sleep_until(clock_->now() + pause);
    bool const last = stage_.is_healed;
    co_await one_round();
    if (last && is_satisfied_) co_return;
  }
}

spi::task<void> actor::one_round() {
  bool const after_heal = stage_.is_healed;
  auto const want = next_wish();
  spi::claim_spec spec{};
  spec.name = want.name;
  spec.mode = want.mode;
  if (want.mode.is_semaphore()) spec.mode.capacity += stage_.wrong.extra_capacity;
  spec.ttl = want.ttl;
  auto const& core = leasehold::detail::store_access::state(store_);
  faulty_claim claim(core->backend->make_claim(spec), stage_.wrong, want.ttl);
  core::acquire_flow flow(*core, claim, want.name, want.wait);
  now_.emplace(test::operation{.client = id_, .name = want.name, .mode = want.mode, .invoked = stage_.world.now()});
  flow.begin();
  if (!flow.done()) co_await flow.finish();
  now_->returned = stage_.world.now();
  stage_.world.note(flow.granted() ? "granted" : flow.why().message(), id_, flow.grant().token.value_or(0));
  if (!flow.granted()) {
    now_->outcome = flow.why() == errc::timed_out ? test::outcome::refused : test::outcome::unknown;
    stage_.history.push_back(*std::exchange(now_, std::nullopt));
    co_return;
  }
  now_->outcome = test::outcome::granted;
  now_->token = flow.grant().token;
  keep_ = {};
  keep_.grant(flow.sent_at(), flow.grant().ttl, duration::zero());
  is_satisfied_ = is_satisfied_ || after_heal;
  co_await keep(claim, want.hold);
  record_end();
  co_await release(claim);
}

/// Until when this client relied on it, in the world's time: it reads its clock before each use, so the deadline ends
/// it even while it is paused.
void actor::record_end() {
  if (now_->outcome == test::outcome::granted) {
    auto const deadline = stage_.wrong.ignores_deadline ? time_point::max() : clock_->in_world(keep_.deadline);
    now_->held_until = std::min(stage_.world.now(), deadline);
  }
  stage_.history.push_back(*std::exchange(now_, std::nullopt));
}

spi::task<void> actor::keep(spi::claim& held, duration how_long) {
  auto const enough = clock_->now() + how_long;
  for (;;) {
    auto const now = clock_->now();
    now_->sightings.push_back({stage_.world.now(), relies_at(now)});
    if (!relies_at(now) || now >= enough) co_return;
    if (now >= keep_.renew_at) {
      bool const goes_on = co_await renew(held);
      if (!goes_on) co_return;
    } else {
      co_await sleep_until(std::min(keep_.next(), enough));
    }
  }
}

/// False when it is lost for good.
spi::task<bool> actor::renew(spi::claim& held) {
  auto const sent_at = clock_->now();
  auto const answer = co_await held.renew();
  auto const now = clock_->now();
  stage_.world.note("renewed", id_, static_cast<std::uint64_t>(answer.error().value()));
  if (!answer && answer.error() == errc::lost) co_return false;
  if (!answer) {
    keep_.renewal_failed(now);
    co_return true;
  }
  bool const late = now >= keep_.deadline;
  if (late && (stage_.wrong.late_renewal_counts || stage_.wrong.ignores_deadline)) {
    now_->sightings.push_back({stage_.world.now(), false});
    keep_.grant(sent_at, *answer, duration::zero());
    co_return true;
  }
  bool const extended = keep_.renewed(sent_at, now, *answer);
  co_return extended;
}

spi::task<void> actor::release(spi::claim& held) {
  for (int tries = 0; tries < 3; ++tries) {
    auto const done = co_await held.withdraw(duration::zero());
    stage_.world.note("released", id_, static_cast<std::uint64_t>(done.error().value()));
    if (done || (done.error() != errc::outcome_unknown && done.error() != errc::unavailable)) co_return;
  }
}

}  // namespace leasehold::sim
