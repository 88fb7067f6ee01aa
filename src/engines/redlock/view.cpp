// Decides what a lock on several nodes looks like: what a majority of them shows.
#include "engines/redlock/claim.hpp"
#include "spi/fan.hpp"

#include <algorithm>
#include <map>

namespace leasehold::inline v0_1::redlock {
namespace {

using view = spi::node::view;

failure too_few(std::size_t answered, std::size_t nodes) {
  return {make_error_code(errc::unavailable),
          diagnostics("only " + std::to_string(answered) + " of " + std::to_string(nodes) + " nodes answered",
                      "see: leasehold doctor")};
}

/// What most show, and at least so many. A grant is complete only when a majority has its token; before that, counters of some nodes are
/// none, and the largest of them may be above it.
std::optional<std::uint64_t> token_of(std::vector<view const*> const& of, std::size_t at_least) {
  std::map<std::uint64_t, std::size_t> votes;
  for (auto const* v : of) {
    if (!v->info.holders.empty() && v->info.holders.front().token) ++votes[*v->info.holders.front().token];
  }
  auto const most = std::ranges::max_element(
      votes, {}, [](std::pair<std::uint64_t const, std::size_t> const& v) { return v.second; });
  return most == votes.end() || most->second < at_least ? std::nullopt : std::optional(most->first);
}

/// Views of a majority, or of one owner.
std::vector<view const*> held_by(std::vector<view> const& all, std::string_view owner) {
  std::vector<view const*> out;
  for (auto const& v : all) {
    if (v.owner == owner && v.info.state == lock_state::held) out.push_back(&v);
  }
  return out;
}

/// In whose name a majority of all nodes is held; empty: nobody's, or several readers'.
std::string majority_owner(std::vector<view> const& all, std::size_t quorum) {
  for (auto const& v : all) {
    if (!v.owner.empty() && held_by(all, v.owner).size() >= quorum) return v.owner;
  }
  return {};
}

lock_info combined(std::vector<view> const& all, std::string_view name, std::size_t nodes) {
  auto const quorum = model::quorum_of(nodes);
  lock_info out;
  out.name = name;
  auto const longest = std::ranges::max_element(all, {}, [](auto const& v) { return v.info.waiters.size(); });
  out.waiters = longest->info.waiters;
  if (auto const owner = majority_owner(all, quorum); !owner.empty()) {
    auto const of = held_by(all, owner);
    out.state = lock_state::held;
    out.mode = of.front()->info.mode;
    out.holders = of.front()->info.holders;
    out.holders.front().token = token_of(of, quorum);
    return out;
  }
  auto const together = held_by(all, {});
  if (together.size() >= quorum) {
    auto const fullest = std::ranges::max_element(together, {}, [](auto const* v) { return v->info.holders.size(); });
    out.state = lock_state::held;
    out.mode = (*fullest)->info.mode;
    out.holders = (*fullest)->info.holders;
    return out;
  }
  // So many keep it busy that the rest is no majority.
  std::vector<time_point> ends;
  for (auto const& v : all) {
    if (v.info.state == lock_state::held_off && v.info.free_at) ends.push_back(*v.info.free_at);
  }
  if (ends.size() > nodes - quorum) {
    std::ranges::sort(ends);
    out.state = lock_state::held_off;
    out.free_at = ends[ends.size() - 1 - (nodes - quorum)];
  }
  return out;
}

}  // namespace

spi::task<result<std::vector<view>>> backend::views(std::string_view name) {
  auto& drive = co_await spi::this_driver();
  auto const begun = drive.now();
  auto const until = begun + op_timeout_most;
  spi::fan<result<view>> asks(drive);
  for (auto const& n : nodes_) asks.start(n->inspect(name, until));
  std::vector<view> out;
  failure why{errc::unavailable};
  for (auto patient_until = until; auto const which = co_await asks.next(patient_until);) {
    auto one = asks.take(*which);
    if (!one) {
      why = one.get_failure();
      continue;
    }
    out.push_back(std::move(*one));
    if (out.size() == model::quorum_of(nodes_.size())) patient_until = patience(begun, drive.now(), until);
  }
  if (out.size() >= model::quorum_of(nodes_.size())) co_return std::move(out);
  if (why.code != errc::unavailable && why.code != errc::outcome_unknown) co_return why;
  co_return too_few(out.size(), nodes_.size());
}

spi::task<result<lock_info>> backend::inspect(std::string_view name) {
  auto const all = co_await views(name);
  if (!all) co_return all.get_failure();
  co_return combined(*all, name, nodes_.size());
}

spi::task<result<std::vector<lock_info>>> backend::list(std::string_view prefix) {
  auto& drive = co_await spi::this_driver();
  auto const begun = drive.now();
  auto const until = begun + op_timeout_most;
  std::vector<std::string> names;
  std::size_t answered = 0;
  {
    spi::fan<result<std::vector<std::string>>> asks(drive);
    for (auto const& n : nodes_) asks.start(n->names(prefix, until));
    for (auto patient_until = until; auto const which = co_await asks.next(patient_until);) {
      auto const some = asks.take(*which);
      if (!some) continue;
      names.insert(names.end(), some->begin(), some->end());
      if (++answered == model::quorum_of(nodes_.size())) patient_until = patience(begun, drive.now(), until);
    }
  }
  if (answered < model::quorum_of(nodes_.size())) co_return too_few(answered, nodes_.size());
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::vector<lock_info> out;
  for (auto const& name : names) {
    auto info = co_await inspect(name);
    if (!info && info.error() == errc::mode_mismatch) continue;
    if (!info) co_return info.get_failure();
    if (info->state != lock_state::free || !info->waiters.empty()) out.push_back(std::move(*info));
  }
  co_return std::move(out);
}

spi::task<result<void>> backend::evict(std::string_view name, std::uint64_t token, evict_options const& options) {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + op_timeout_most;
  auto const all = co_await views(name);
  if (!all) co_return all.get_failure();
  auto const owner = majority_owner(*all, model::quorum_of(nodes_.size()));
  failure const nobody{make_error_code(errc::not_owner), diagnostics("nobody holds that name with that token")};
  if (owner.empty() || token_of(held_by(*all, owner), 1) != token) co_return nobody;
  std::size_t done = 0;
  {
    spi::fan<result<bool>> asks(drive);
    for (auto const& n : nodes_) asks.start(n->evict(name, owner, options.now, until));
    for (auto patient_until = until; auto const which = co_await asks.next(patient_until);) {
      auto const one = asks.take(*which);
      if (one && *one && ++done == model::quorum_of(nodes_.size()))
        patient_until = patience(drive.now(), drive.now(), until);
    }
  }
  if (done >= model::quorum_of(nodes_.size())) co_return result<void>();
  co_return failure{errc::outcome_unknown};
}

}  // namespace leasehold::inline v0_1::redlock
