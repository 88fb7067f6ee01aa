// Decides what the demo can be told.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace demo {

struct options {
  std::filesystem::path directory;  ///< empty: chosen
  unsigned workers = 6;
  std::size_t files_max = 4000;
  double ttl_s = 1.5;
  double watch_s = 8;              ///< how long the files together should take; 0 = as fast as they can
  std::string store;               ///< a URL; empty: an embedded one in a temporary directory
  std::filesystem::path manifest;  ///< kept if given
  std::filesystem::path verify;    ///< only check this manifest

  // Set by the supervisor for its workers.
  std::optional<unsigned> worker;
  std::filesystem::path list;
  std::string name_space;
  double pause_s = 0;  ///< per file, while its lock is held
};

/// Nothing if help or a complaint was all there was to do; `exit_code` is then 0, or 64 for wrong usage.
[[nodiscard]] std::optional<options> parse(int argc, char** argv, int& exit_code);

}  // namespace demo
