// Decides whether the manifest is right: against an independent run of sha256sum, and against what was done to the
// workers.
#pragma once

#include "manifest.hpp"
#include "tree.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace demo {

/// One line of the verdict table.
struct finding {
  bool good = false;
  std::string found;  ///< a number, or yes or no
  std::string what;
};

/// Every file once, none lost, no digest wrong, nothing else. `scratch` is a directory for temporary files. Throws
/// std::runtime_error if sha256sum cannot be run.
[[nodiscard]] std::vector<finding> compare(tree const& files, manifest const& log,
                                           std::filesystem::path const& scratch);

/// Prints the table; true if all is good.
bool print_verdict(std::vector<finding> const& findings);

}  // namespace demo
