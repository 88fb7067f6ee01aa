// Decides which topics help knows beside the commands.
#pragma once

#include <span>
#include <string_view>

namespace leasehold::cli {

struct help_topic {
  std::string_view name;
  std::string_view summary;
  std::string_view text;
};

[[nodiscard]] std::span<help_topic const> help_topics() noexcept;

}  // namespace leasehold::cli
