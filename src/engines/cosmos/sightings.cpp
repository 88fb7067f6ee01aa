#include "engines/cosmos/sightings.hpp"

#include <algorithm>
#include <utility>

namespace leasehold::inline v0_1::cosmos {
namespace {

constexpr std::size_t names_max = 4096;

}  // namespace

sightings::watched& sightings::at(std::string_view name, time_point now) {
  auto found = names_.find(name);
  if (found == names_.end()) {
    if (names_.size() >= names_max) {
      std::vector<time_point> used;
      for (auto const& [ignored, w] : names_) used.push_back(w.used);
      auto const middle = used.begin() + static_cast<std::ptrdiff_t>(used.size() / 2);
      std::ranges::nth_element(used, middle);
      std::erase_if(names_, [limit = *middle](auto const& one) { return one.second.used <= limit; });
    }
    found = names_.emplace(std::string(name), watched{}).first;
  }
  found->second.used = now;
  return found->second;
}

void sightings::see(document const& d, time_point now) {
  std::lock_guard const hold(guard_);
  auto& w = at(d.name, now);
  w.free.reset();
  std::vector<mark> marks;
  for (auto const& e : d.entries) {
    auto const known = std::ranges::find(w.marks, e.owner, &mark::owner);
    // A beat that is older than the one we know comes from a replica that lags behind: it is no sign of life.
    bool const stands_still = known != w.marks.end() && e.beat <= known->beat;
    marks.push_back(stands_still ? *known : mark{e.owner, e.beat, now});
  }
  w.marks = std::move(marks);
}

time_left sightings::judge(document const& d, time_point now, std::int64_t server_now) const {
  std::vector<mark> marks;
  {
    std::lock_guard const hold(guard_);
    if (auto const found = names_.find(d.name); found != names_.end()) marks = found->second.marks;
  }
  return [marks = std::move(marks), written = d.ts, now, server_now](entry const& e) {
    auto const whole = with_margin(e.ttl + e.delay);
    auto const known = std::ranges::find(marks, e.owner, &mark::owner);
    auto left = known != marks.end() && known->beat == e.beat ? whole - (now - known->first) : whole;
    auto const beat_at = e.beat_at != 0 ? e.beat_at : written;
    if (server_now != 0 && beat_at != 0) {
      auto const age = std::chrono::seconds(server_now - beat_at);
      left = std::min<duration>(left, whole + server_margin - age);
    }
    return left;
  };
}

std::optional<document> sightings::take_free(std::string_view name) {
  std::lock_guard const hold(guard_);
  auto const found = names_.find(name);
  return found == names_.end() ? std::nullopt : std::exchange(found->second.free, std::nullopt);
}

void sightings::keep_free(document d, time_point now) {
  std::lock_guard const hold(guard_);
  auto& w = at(d.name, now);
  w.marks.clear();
  w.free.emplace(std::move(d));
}

}  // namespace leasehold::inline v0_1::cosmos
