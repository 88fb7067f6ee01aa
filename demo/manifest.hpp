// Decides what the workers write into the shared manifest, and what everybody reads out of it.
//
// A worker writes two records per file: `taken` as soon as it holds the lock, `done` with the digest. The first one
// makes every later write of an earlier holder void, whenever it comes; only then does the worker look whether the file
// is done already. So exactly one valid `done` per file follows from the tokens alone, without any clock.
#pragma once

#include "digest.hpp"

#include <leasehold/leasehold.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace demo {

enum class entry_kind : std::uint8_t { taken = 't', done = 'd', unreadable = 'u' };

struct entry {
  entry_kind kind = entry_kind::taken;
  unsigned worker = 0;
  digest hash{};
};

/// What the manifest says of one file; void records do not count.
struct file_state {
  std::uint64_t taken_token = 0;
  unsigned taken_by = 0;
  bool open = false;     ///< taken, and neither done nor taken over
  std::size_t done = 0;  ///< more than one would be a fault
  entry last{};          ///< of the last `done`
  std::uint64_t done_token = 0;
};

struct hold {
  std::string name;
  std::uint64_t token = 0;
};

/// A record that came too late.
struct stale_write {
  std::string name;
  std::uint64_t token = 0;
  entry what{};
};

/// One process's view of the manifest: its own writes go to the file, everybody's come back by `update`. Throws
/// leasehold::error.
class manifest {
 public:
  explicit manifest(std::filesystem::path const& path) : log_(leasehold::fenced_log::open(path).value()) {}

  void append(std::string_view name, std::uint64_t token, entry const& what);
  void update();

  [[nodiscard]] bool is_done(std::string const& name) const;
  /// Null if no record names it.
  [[nodiscard]] file_state const* find(std::string const& name) const;
  [[nodiscard]] std::unordered_map<std::string, file_state> const& files() const noexcept { return files_; }
  [[nodiscard]] std::size_t done() const noexcept { return done_; }
  [[nodiscard]] std::size_t take_overs() const noexcept { return take_overs_; }
  [[nodiscard]] std::vector<stale_write> const& stale() const noexcept { return stale_; }
  [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }
  /// By worker: the file it has taken and not finished.
  [[nodiscard]] std::map<unsigned, hold> const& holds() const noexcept { return holds_; }

 private:
  void take(std::string const& name, std::uint64_t token, entry const& what);
  void finish(std::string const& name, std::uint64_t token, entry const& what);

  leasehold::fenced_log log_;
  leasehold::fenced_log::cursor cursor_;
  std::unordered_map<std::string, file_state> files_;
  std::map<unsigned, hold> holds_;
  std::vector<stale_write> stale_;
  std::size_t done_ = 0;
  std::size_t take_overs_ = 0;
  std::uint64_t damaged_ = 0;
};

}  // namespace demo
