// Decides when colour is used (it marks states only, always beside the word) and which.
#pragma once

#include "base/context.hpp"

#include <string>
#include <string_view>

namespace leasehold::cli {

enum class hue { none, good, wait, bad };

class style {
 public:
  /// For text that goes to `fd`.
  style(invocation& call, int fd);
  [[nodiscard]] std::string paint(hue h, std::string_view text) const;
  [[nodiscard]] bool on() const noexcept { return on_; }

 private:
  bool on_ = false;
};

}  // namespace leasehold::cli
