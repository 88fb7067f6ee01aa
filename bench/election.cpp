// Decides how long a place is empty when its leader is killed: election/failover/local.
#include "batons.hpp"
#include "benchmarks.hpp"
#include "processes.hpp"

#include <leasehold/leasehold.hpp>

#include <memory>

namespace bench {
namespace {

baton candidate(std::string const& store_url) {
  auto const place = std::make_shared<leasehold::election>(leasehold::open(store_url), "leader");
  auto const term = std::make_shared<leasehold::term>();
  return {[place, term] { *term = place->campaign(); }, [term] { term->resign(); }};
}

}  // namespace

std::vector<row> election_failover(settings const& how) {
  row r{.id = "election/failover/local", .unit = "ns", .ours = {}, .goals = {{against::limit, 2}}};
  r.note = "leader killed: next leader runs; limit: our own local/handoff";
  unsigned const kills = how.quick ? 5 : 40;
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    scratch const room;
    r.ours.push_back(median(take_overs([&](int) { return candidate(room.store_url("places")); }, kills)));
    r.limit.push_back(
        median(hand_offs([&](int) { return leasehold_baton(room.store_url()); }, how.quick ? 200 : 2000)));
    told.step();
  }
  return {r};
}

}  // namespace bench
