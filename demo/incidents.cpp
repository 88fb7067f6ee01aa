#include "incidents.hpp"

#include "tree.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace demo {
namespace {

double seconds_since(steady::time_point then) { return std::chrono::duration<double>(steady::now() - then).count(); }

}  // namespace

bool incident::catch_holding(manifest& log) {
  if (!log.holds().contains(worker_) || !victim_.freeze()) return false;
  // Stopped, it writes nothing more: what the manifest says now is where it stands.
  log.update();
  auto const found = log.holds().find(worker_);
  auto const* file = found == log.holds().end() ? nullptr : log.find(found->second.name);
  if (file == nullptr || !file->open || file->taken_token != found->second.token) {
    victim_.thaw();
    return false;
  }
  held_ = found->second;
  struck_at_ = steady::now();
  return true;
}

file_state const* incident::taken_over(manifest const& log) const {
  auto const* const file = log.find(held_.name);
  return file != nullptr && file->taken_token > held_.token ? file : nullptr;
}

file_state const* incident::done_by_another(manifest const& log) const {
  auto const* const file = taken_over(log);
  return file != nullptr && file->done != 0 && file->done_token > held_.token ? file : nullptr;
}

void killing::step(manifest& log) {
  if (!has_struck()) {
    if (!catch_holding(log)) return;
    victim_.kill();
    say_(fmt::format("worker {} is killed (kill -9) while it holds {}, token {}", worker_, printable(held_.name),
                     held_.token));
  } else if (auto const* file = done_by_another(log); file != nullptr && !over_) {
    over_ = true;
    say_(fmt::format("worker {} has taken {} over from the killed one and done it: token {} -> {}", file->last.worker,
                     printable(held_.name), held_.token, file->done_token));
  }
}

void freezing::step(manifest& log) {
  switch (state_) {
    case state::waiting:
      if (!catch_holding(log)) return;
      state_ = state::frozen;
      say_(fmt::format("worker {} is frozen (SIGSTOP) between its check and its write of {}, token {}", worker_,
                       printable(held_.name), held_.token));
      return;
    case state::frozen:
      // Thawed while its successor is still at work: the hardest moment for the manifest.
      if (auto const* file = taken_over(log)) {
        say_(fmt::format("worker {} has taken {} over after {:.1f} s: token {} -> {}; worker {} is thawed",
                         file->taken_by, printable(held_.name), seconds_since(struck_at_), held_.token,
                         file->taken_token, worker_));
        state_ = state::thawed;
        victim_.thaw();
      }
      return;
    case state::thawed:
      return await_late_write(log);
    case state::over:
      return;
  }
}

void freezing::await_late_write(manifest const& log) {
  auto const now = log.holds().find(worker_);
  if (has_void_write(log, worker_, held_)) {
    if (done_by_another(log) == nullptr) return;
    state_ = state::over;
    say_(fmt::format("worker {} wrote its late record of {} with token {}: void", worker_, printable(held_.name),
                     held_.token));
  } else if (now != log.holds().end() && now->second.token != held_.token) {
    // Frozen a moment too early: on waking it looked, and gave up. Once more.
    say_(fmt::format("worker {} noticed its loss before it wrote; it will be frozen again", worker_));
    held_ = {};
    state_ = state::waiting;
  }
}

bool has_void_write(manifest const& log, unsigned worker, hold const& held) {
  return std::any_of(log.stale().begin(), log.stale().end(), [&](stale_write const& write) {
    return write.what.kind == entry_kind::done && write.what.worker == worker && write.name == held.name &&
           write.token == held.token;
  });
}

}  // namespace demo
