#include "sim/run.hpp"

#include "sim/actor.hpp"

#include <algorithm>
#include <memory>

namespace leasehold::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Draws what goes wrong, for as long as the safety phase lasts.
class chaos {
 public:
  chaos(stage& on, std::vector<std::unique_ptr<actor>>& who) : stage_(on), actors_(who) {
    auto& chance = stage_.world;
    stage_.sky.lost_percent = static_cast<unsigned>(chance.draw(12));
    stage_.sky.slow_percent = static_cast<unsigned>(chance.draw(10));
    stage_.sky.twice_percent = static_cast<unsigned>(chance.draw(10));
  }
  void begin() { post_next(); }
  void heal() {
    stage_.is_healed = true;
    stage_.sky = {};
    for (auto const& a : actors_) {
      a->set_weather();
      a->cut(false);
      a->pause(duration::zero());
    }
  }

 private:
  void post_next() {
    stage_.world.post(stage_.world.now() + stage_.world.draw_between(milliseconds(50), seconds(1)), [this] {
      if (stage_.is_healed) return;
      strike();
      post_next();
    });
  }

  void strike() {
    auto& chance = stage_.world;
    auto& victim = *actors_[chance.draw(actors_.size())];
    auto const what = chance.draw(100);
    chance.note("strike", what, 0);
    if (what < 35) return victim.pause(chance.draw_between(milliseconds(10), seconds(5)));
    if (what < 50) return victim.crash();
    if (what < 75) return cut_for_a_while(victim);
    if (what < 90) return evict_somebody();
    if (what < 92) stage_.server.restart_empty();
  }

  void cut_for_a_while(actor& victim) {
    victim.cut(true);
    auto const end = stage_.world.now() + stage_.world.draw_between(milliseconds(100), seconds(10));
    stage_.world.post(end, [&victim] { victim.cut(false); });
  }

  void evict_somebody() {
    auto const all = stage_.server.table().list(stage_.world.now(), "");
    if (all.empty()) return;
    auto const& target = all[stage_.world.draw(all.size())];
    if (!target.holders.empty())
      static_cast<void>(stage_.server.evict(target.name, *target.holders.front().token, false));
  }

  stage& stage_;
  std::vector<std::unique_ptr<actor>>& actors_;
};

void run_until(world& w, time_point end, auto const& enough) {
  while (!enough() && w.next_event() < end && w.step()) {
  }
  w.pass_time_to(std::min(end, std::max(w.now(), enough() ? w.now() : end)));
}

}  // namespace

run_outcome run(run_options const& options) {
  sim::world world(options.seed);
  sim::server server(world, seconds(10), options.server);
  stage on{.world = world, .server = server, .wrong = options.client};
  std::vector<std::unique_ptr<actor>> actors;
  chaos trouble(on, actors);
  auto const begin = world.now();
  for (std::uint32_t id = 0; id < options.clients; ++id) {
    auto const drift = static_cast<int>(world.draw(10'001)) - 10'000;
    actors.push_back(std::make_unique<actor>(on, id, world.happens(40) ? -10'000 : drift));
    actors.back()->start();
  }
  trouble.begin();
  run_until(world, begin + options.safety_phase, [] { return false; });
  trouble.heal();
  auto const served = [&] { return std::ranges::all_of(actors, [](auto const& a) { return a->is_satisfied(); }); };
  run_until(world, world.now() + options.liveness_bound, served);

  run_outcome out;
  out.everyone_served = served();
  out.took = world.now() - begin;
  out.hash = world.hash();
  actors.clear();
  out.violations = test::check_history(on.history);
  for (auto const& o : on.history) {
    out.grants += o.outcome == test::outcome::granted;
    out.unknowns += o.outcome == test::outcome::unknown;
  }
  return out;
}

}  // namespace leasehold::sim
