// Decides how long the next holder waits for its turn: local/handoff, local/kill.
#include "batons.hpp"
#include "benchmarks.hpp"
#include "processes.hpp"

namespace bench {
namespace {

void append(series& to, series const& from) { to.insert(to.end(), from.begin(), from.end()); }

series our_hand_offs(unsigned count) {
  scratch const room;
  return hand_offs([&](int) { return leasehold_baton(room.store_url()); }, count);
}

}  // namespace

std::vector<row> handoff(settings const& how) {
  row p50{.id = "local/handoff", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.5}}};
  p50.note = "raw futex ping-pong; median hand-off";
  row p99{.id = "local/handoff/p99", .unit = "ns", .ours = {}};
  p99.note = "raw futex ping-pong; 99th percentile";
  progress told(p50.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    series ours, raw;
    for (int slice = 0; slice < (how.quick ? 1 : 4); ++slice) {
      append(ours, our_hand_offs(how.quick ? 200 : 1000));
      append(raw, hand_offs(raw_futex_baton(), how.quick ? 200 : 1000));
    }
    p50.ours.push_back(median(ours));
    p50.limit.push_back(median(raw));
    p99.ours.push_back(quantile(ours, 0.99));
    p99.limit.push_back(quantile(raw, 0.99));
    told.step();
  }
  return {p50, p99};
}

std::vector<row> kill_holder(settings const& how) {
  row r{.id = "local/kill", .unit = "ns", .ours = {}, .goals = {{against::limit, 2}}};
  r.note = "our own local/handoff; flock(2) holder killed";
  row robust{.id = "local/kill/robust", .unit = "ns", .ours = {}};
  robust.note = "not ours: a robust mutex's holder killed; limit: our own local/handoff";
  unsigned const kills = how.quick ? 5 : 40;
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    scratch const room;
    auto const ours = [&](int) { return leasehold_baton(room.store_url()); };
    auto const flock = [&](int) { return flock_baton((room.path() / "flock").string()); };
    series took = take_overs(ours, kills / 2);
    r.limit.push_back(median(our_hand_offs(how.quick ? 200 : 2000)));
    r.peer.push_back(median(take_overs(flock, kills)));
    robust.ours.push_back(median(take_overs(robust_mutex_baton(), kills)));
    append(took, take_overs(ours, kills - kills / 2));
    r.ours.push_back(median(took));
    robust.limit.push_back(r.limit.back());
    told.step();
  }
  return {r, robust};
}

}  // namespace bench
