// Decides when one worker is killed and when one is frozen and thawed, and whether that went as announced.
#pragma once

#include "manifest.hpp"
#include "processes.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace demo {

using steady = std::chrono::steady_clock;
using tell = std::function<void(std::string const&)>;

/// An accident that happens to one worker while it holds a file's lock.
class incident {
 public:
  incident(unsigned worker, process& victim, tell say) : worker_(worker), victim_(victim), say_(std::move(say)) {}
  incident(incident const&) = delete;
  incident& operator=(incident const&) = delete;
  virtual ~incident() = default;

  /// Requires an updated manifest. Call often; does at most one step.
  virtual void step(manifest& log) = 0;
  [[nodiscard]] virtual bool is_over() const noexcept = 0;

  [[nodiscard]] unsigned worker() const noexcept { return worker_; }
  /// What it held.
  [[nodiscard]] hold const& held() const noexcept { return held_; }
  [[nodiscard]] bool has_struck() const noexcept { return !held_.name.empty(); }

 protected:
  /// Stops the victim if, at this very moment, it holds a file that is not done.
  bool catch_holding(manifest& log);
  /// The file, once another worker has taken it over from the victim, and once that one has done it; else null.
  [[nodiscard]] file_state const* taken_over(manifest const& log) const;
  [[nodiscard]] file_state const* done_by_another(manifest const& log) const;

  unsigned worker_;
  process& victim_;
  tell say_;
  hold held_;
  steady::time_point struck_at_{};
};

/// kill -9 while it holds.
class killing final : public incident {
 public:
  using incident::incident;
  void step(manifest& log) override;
  [[nodiscard]] bool is_over() const noexcept override { return over_; }

 private:
  bool over_ = false;
};

/// SIGSTOP between the worker's check and its write; SIGCONT once another worker has taken the file over.
class freezing final : public incident {
 public:
  using incident::incident;
  void step(manifest& log) override;
  [[nodiscard]] bool is_over() const noexcept override { return state_ == state::over; }

 private:
  enum class state { waiting, frozen, thawed, over };
  void await_late_write(manifest const& log);
  state state_ = state::waiting;
};

/// Whether the manifest holds the victim's `done` record for what it held, and marks it void.
[[nodiscard]] bool has_void_write(manifest const& log, unsigned worker, hold const& held);

}  // namespace demo
