#include "tree.hpp"

#include "digest.hpp"

#include <leasehold/leasehold.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace demo {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t enough_files = 1000;
/// Names leave room for the store's namespace.
constexpr std::size_t name_bytes_max = 200;
constexpr std::string_view hashed_prefix = "sha256:";

std::string relative_to(fs::path const& root, fs::path const& file) {
  auto text = file.native().substr(root.native().size());
  text.erase(0, text.find_first_not_of('/'));
  return text;
}

bool is_readable(fs::path const& path, int mode) { return ::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0; }

void scan_directory(fs::path const& directory, tree& found) {
  std::error_code ec;
  fs::directory_iterator entry(directory, ec);
  if (ec) found.unreadable.push_back(relative_to(found.root, directory));
  for (; !ec && entry != fs::directory_iterator(); entry.increment(ec)) {
    auto const type = entry->symlink_status(ec).type();
    if (type == fs::file_type::directory) {
      scan_directory(entry->path(), found);
    } else if (type != fs::file_type::regular) {
      ++found.left_out;
    } else if (is_readable(entry->path(), R_OK)) {
      found.files.push_back(relative_to(found.root, entry->path()));
    } else {
      found.unreadable.push_back(relative_to(found.root, entry->path()));
    }
  }
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      safe += c;
    } else {
      safe += fmt::format("\\x{:02x}", byte);
    }
  }
  return safe;
}

}  // namespace

fs::path default_root() {
  for (char const* candidate : {"/usr/share/doc", "/usr/include", "/usr/share"}) {
    std::error_code ec;
    if (fs::is_directory(candidate, ec) && scan(candidate, enough_files).files.size() == enough_files) return candidate;
  }
  return "/usr/lib";
}

tree scan(fs::path const& root, std::size_t files_max) {
  tree found;
  std::error_code ec;
  found.root = fs::canonical(root, ec);
  if (ec) throw std::runtime_error(fmt::format("{}: {}", printable(root.native()), ec.message()));
  if (!fs::is_directory(found.root)) throw std::runtime_error(printable(root.native()) + " is not a directory");
  if (!is_readable(found.root, R_OK | X_OK)) throw std::runtime_error(printable(root.native()) + ": permission denied");
  scan_directory(found.root, found);
  std::sort(found.files.begin(), found.files.end());
  if (found.files.size() > files_max) {
    found.beyond_cap = found.files.size() - files_max;
    found.files.resize(files_max);
  }
  return found;
}

std::string lock_name(std::string const& path) {
  if (path.size() <= name_bytes_max && leasehold::check_name(path) && !path.starts_with(hashed_prefix)) return path;
  return std::string(hashed_prefix) + to_text(sha256(path));
}

std::string printable(std::string_view path, std::size_t columns) {
  auto safe = leasehold::check_name(path) ? std::string(path) : escaped(path);
  if (safe.size() <= columns) return safe;
  // The end says more than the beginning. A cut within a UTF-8 sequence must not show.
  auto from = safe.size() - columns + 3;
  while (from < safe.size() && (static_cast<unsigned char>(safe[from]) & 0xC0u) == 0x80u) ++from;
  return "..." + safe.substr(from);
}

void write_list(fs::path const& list, std::vector<std::string> const& files) {
  std::ofstream out(list, std::ios::binary | std::ios::trunc);
  for (auto const& file : files) out << "./" << file << '\0';
  out.flush();
  if (!out) throw std::runtime_error("cannot write " + list.native());
}

std::vector<std::string> read_list(fs::path const& list) {
  std::ifstream in(list, std::ios::binary);
  std::vector<std::string> files;
  for (std::string file; std::getline(in, file, '\0');) files.push_back(file.substr(2));
  if (files.empty()) throw std::runtime_error("cannot read " + list.native());
  return files;
}

}  // namespace demo
