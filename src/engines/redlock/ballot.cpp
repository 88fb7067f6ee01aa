#include "engines/redlock/ballot.hpp"

#include "model/quorum.hpp"

#include <algorithm>
#include <map>

namespace leasehold::inline v0_1::redlock {
namespace {

std::string share(std::size_t some, std::size_t all) { return std::to_string(some) + " of " + std::to_string(all); }

}  // namespace

std::size_t ballot::count(errc code) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(failures_, [&](auto const& f) { return f.code == make_error_code(code); }));
}

std::size_t ballot::in_one_name() const {
  std::map<std::string_view, std::size_t> votes;
  std::size_t most = 0;
  for (auto const& r : refusals_) most = std::max(most, ++votes[r.owner]);
  return most;
}

std::optional<std::uint32_t> ballot::free_slot(std::span<std::uint32_t const> tried) const {
  std::map<std::uint32_t, std::size_t> votes;
  for (auto const& r : refusals_) {
    if (r.free_slot && std::ranges::find(tried, *r.free_slot) == tried.end()) ++votes[*r.free_slot];
  }
  auto const most = std::ranges::max_element(
      votes, {}, [](std::pair<std::uint32_t const, std::size_t> const& v) { return v.second; });
  return most == votes.end() ? std::nullopt : std::optional(most->first);
}

bool ballot::is_split() const { return free_slot({}) || (granted_ > 0 && in_one_name() < model::quorum_of(nodes_)); }

spi::answer ballot::busy(duration again) const {
  // Who loses a split vote calls nobody, so one that may be split is looked at again soon.
  constexpr duration doubtful = std::chrono::milliseconds(50);
  spi::busy no;
  no.retry_after = again;
  auto const told = std::ranges::find_if(refusals_, [](auto const& r) { return r.holder != nullptr; });
  if (told != refusals_.end()) no.holder = told->holder;
  if (is_split() || refusals_.empty()) return no;
  // The name is free once so many have let go that the rest is no obstacle.
  std::vector<duration> waits;
  for (auto const& r : refusals_) waits.push_back(r.retry_after);
  std::ranges::sort(waits);
  no.retry_after = waits[waits.size() / 2];
  if (in_one_name() < model::quorum_of(nodes_)) no.retry_after = std::min(no.retry_after, doubtful);
  return no;
}

failure ballot::forgotten(std::string const& url) const {
  duration left{};
  for (auto const& f : failures_) {
    if (f.code == errc::probation) left = std::max(left, f.details.retry_after());
  }
  auto const n = count(errc::probation);
  auto const text = share(n, nodes_) + " nodes are fresh, or have forgotten what they granted";
  if (n > nodes_ - model::quorum_of(nodes_)) {
    // Whose counters could they take over? Only an operator knows.
    return {make_error_code(errc::misconfigured),
            diagnostics(text + ": too many to come back by themselves",
                        "if you know that nothing is held: leasehold init " + url)};
  }
  diagnostics const why(text + ", and of the others too few answer", "wait, or bring the others back");
  return {make_error_code(errc::probation),
          why.with_retry_after(std::max<duration>(left, std::chrono::milliseconds(50)))};
}

/// The gravest reason, told with the first that gave it.
failure ballot::missing() const {
  for (auto const code : {errc::cancelled, errc::misconfigured, errc::auth, errc::bad_option, errc::bad_name,
                          errc::outcome_unknown, errc::unavailable}) {
    auto const first = std::ranges::find_if(failures_, [&](auto const& f) { return f.code == make_error_code(code); });
    if (first == failures_.end()) continue;
    auto const answered = nodes_ - failures_.size();
    auto const text = "only " + share(answered, nodes_) + " nodes answered: " + std::string(first->details.message());
    return {first->code,
            diagnostics(text, std::string(first->details.hint()), std::string(first->details.server_text()))};
  }
  return {make_error_code(errc::outcome_unknown),
          diagnostics("fewer than a majority of the nodes answered in time", "are they stopped, or the network cut?")};
}

result<spi::answer> ballot::verdict(duration again, std::string const& url) const {
  auto const q = model::quorum_of(nodes_);
  if (count(errc::cancelled) > 0) return failure{errc::cancelled};
  if (count(errc::probation) > nodes_ - q) return forgotten(url);
  // A majority may answer, and somebody is in the way: it can be had, if not now.
  if (mismatches_.size() > nodes_ - q) return mismatches_.front();
  if (answers() >= q || (refusals() > 0 && failures_.size() <= nodes_ - q)) return busy(again);
  if (count(errc::probation) > 0 && answers() + count(errc::probation) >= q) return forgotten(url);
  return missing();
}

}  // namespace leasehold::inline v0_1::redlock
