// Decides what a person sees while the workers run: one live line on a terminal, plain lines elsewhere.
#pragma once

#include "manifest.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace demo {

class progress {
 public:
  explicit progress(std::size_t files);
  /// Ends the live line.
  ~progress();
  progress(progress const&) = delete;
  progress& operator=(progress const&) = delete;

  /// Redraws if it is time to.
  void show(manifest const& log);
  /// A line of its own, with the time since the start.
  void event(std::string const& text);
  [[nodiscard]] double seconds() const;

 private:
  void clear() const;
  std::size_t files_;
  bool live_;
  std::chrono::steady_clock::time_point started_;
  std::chrono::steady_clock::time_point shown_at_;
  std::size_t done_before_ = 0;
  double files_per_s_ = 0;
};

/// Colour where it can be seen and is wanted (a terminal, no NO_COLOR).
[[nodiscard]] bool colours();

}  // namespace demo
