// Decides what is said while a run waits: one rewritten line on a terminal, elsewhere a line at first and on change of holder.
#pragma once

#include "run/descriptor.hpp"

#include <leasehold/observer.hpp>

#include <mutex>
#include <optional>
#include <string>

namespace leasehold::cli {

/// Hears the store's events on the process's thread for them; `get()` becomes readable when there is news.
class waiting_news final : public observer {
 public:
  waiting_news();
  void on_event(event const& what) override;
  [[nodiscard]] int get() const noexcept { return wake_.get(); }
  [[nodiscard]] std::optional<event> latest();

 private:
  std::mutex guard_;
  std::optional<event> latest_;
  descriptor wake_;
};

class waiting_line {
 public:
  explicit waiting_line(bool quiet);
  void show(event const& news);
  /// The seconds go on; terminals only.
  void tick();
  /// Wipes the line off the terminal.
  void clear();
  [[nodiscard]] bool animated() const noexcept { return animated_; }
  /// The last thing shown, for systemd's STATUS=.
  [[nodiscard]] std::string const& text() const noexcept { return text_; }

 private:
  void draw();
  bool quiet_;
  bool animated_;
  bool drawn_ = false;
  std::string text_;
  std::string said_holder_;
  std::optional<event> news_;
  time_point since_ = clock::now();
};

}  // namespace leasehold::cli
