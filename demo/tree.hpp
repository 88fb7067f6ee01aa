// Decides which files are the work, under which names they are locked, and how the list reaches the workers.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace demo {

struct tree {
  std::filesystem::path root;
  std::vector<std::string> files;       ///< regular, readable; relative to the root; sorted
  std::vector<std::string> unreadable;  ///< files and directories without permission
  std::size_t left_out = 0;             ///< symbolic links, sockets, devices …
  std::size_t beyond_cap = 0;
};

/// The first of a few directories that every Debian has with a good number of files.
[[nodiscard]] std::filesystem::path default_root();
/// The first `files_max` files below `root`, in order of their paths. Throws std::runtime_error if it is no readable
/// directory.
[[nodiscard]] tree scan(std::filesystem::path const& root, std::size_t files_max);

/// The path itself if it can be a lock's name, else "sha256:" and the digest of the path.
[[nodiscard]] std::string lock_name(std::string const& path);
/// For people: control characters and invalid UTF-8 as \xNN, and at most `columns` wide.
[[nodiscard]] std::string printable(std::string_view path, std::size_t columns = 60);

/// NUL-separated, each with a "./" before it, as xargs -0 and sha256sum want it.
void write_list(std::filesystem::path const& list, std::vector<std::string> const& files);
[[nodiscard]] std::vector<std::string> read_list(std::filesystem::path const& list);

}  // namespace demo
