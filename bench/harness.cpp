// Decides the statistics: medians, turns and verdicts.
#include "harness.hpp"

#include <time.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <thread>

namespace bench {
namespace {

series ratios(series const& ours, series const& other) {
  series out;
  for (std::size_t i = 0; i < std::min(ours.size(), other.size()); ++i) out.push_back(ours[i] / other[i]);
  return out;
}

std::optional<double> median_if_any(series const& values) {
  return values.empty() ? std::nullopt : std::optional(median(values));
}

std::string describe(bound const& b) {
  char text[64];
  std::snprintf(text, sizeof text, "<= %.3g x %s", b.factor, b.what == against::limit ? "limit" : "peer");
  return text;
}

}  // namespace

double now_ns() noexcept {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

double quantile(series values, double p) {
  if (values.empty()) throw std::logic_error("a quantile of nothing");
  auto const rank = static_cast<std::size_t>(std::lround(p * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank), values.end());
  return values[rank];
}

verdict judge(row const& r) {
  verdict v;
  v.ours = median(r.ours);
  v.least = *std::min_element(r.ours.begin(), r.ours.end());
  v.most = *std::max_element(r.ours.begin(), r.ours.end());
  v.limit = median_if_any(r.limit);
  v.peer = median_if_any(r.peer);
  auto const to_limit = median_if_any(ratios(r.ours, r.limit));
  auto const to_peer = median_if_any(ratios(r.ours, r.peer));
  v.ratio = to_limit ? to_limit : to_peer;
  for (auto const& goal : r.goals) {
    auto const ratio = goal.what == against::limit ? to_limit : to_peer;
    if (!ratio) throw std::logic_error(r.id + ": a goal without what it compares with");
    if (!v.pass) v.ratio = ratio;
    v.pass = v.pass.value_or(true) && *ratio <= goal.factor;
    v.goal += (v.goal.empty() ? "" : ", ") + describe(goal);
  }
  return v;
}

series take_turns(std::span<std::function<void()> const> contenders, unsigned slices, unsigned operations) {
  std::vector<series> times(contenders.size());
  for (unsigned slice = 0; slice <= slices; ++slice) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      auto const start = now_ns();
      contenders[i]();
      auto const took = (now_ns() - start) / operations;
      if (slice > 0) times[i].push_back(took);
    }
  }
  series out;
  for (auto& t : times) out.push_back(median(std::move(t)));
  return out;
}

double in_threads(unsigned count, std::chrono::milliseconds window, std::function<void(unsigned me)> const& pair) {
  std::atomic<unsigned long> done{0};
  std::atomic<bool> stop{false};
  std::vector<std::jthread> threads;
  for (unsigned me = 0; me < count; ++me) {
    threads.emplace_back([&, me] {
      for (; !stop; ++done) pair(me);
    });
  }
  std::this_thread::sleep_for(window / 10);
  auto const before = done.load();
  auto const start = now_ns();
  std::this_thread::sleep_for(window);
  auto const took = now_ns() - start;
  auto const pairs = static_cast<double>(done.load() - before);
  stop = true;
  return took / pairs;
}

}  // namespace bench
