// Decides what a protected resource does with fencing tokens: accept the newest holder's writes and reject older ones.
#pragma once

#include <leasehold/config.hpp>
#include <leasehold/result.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace leasehold::inline v0_1 {

/// An in-process gate before one resource, or a map of them by name: remembers the largest token it has seen.
/// Thread-safe. Exclusion at the resource follows only if the check and the write are one step: do the write in `pass`.
class LEASEHOLD_API token_gate {
 public:
  token_gate();
  token_gate(token_gate const&) = delete;
  token_gate& operator=(token_gate const&) = delete;
  ~token_gate();

  /// Runs `write` under the name's own lock if `token` is at least the largest admitted for `name` so far, and remembers it.
  /// Returns false, and runs nothing, for an older token. An exception of `write` passes through; the token stays remembered.
  /// `write` must not `pass` the same name again (deadlock); the other calls are fine in it.
  bool pass(std::string_view name, std::uint64_t token, std::function<void()> const& write);
  [[nodiscard]] bool admits(std::string_view name, std::uint64_t token) const;
  [[nodiscard]] std::optional<std::uint64_t> largest(std::string_view name) const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// An append-only file of records {name, token, payload, crc}, one write(2) each on an O_APPEND descriptor, that any number of
/// processes share. A record is *void* if an earlier record of its name carries a larger token: readers agree on that from the
/// file alone, so a late write of a stale holder changes nothing. A torn or damaged record is skipped and counted.
///
/// For exactly-once work: append a first record ("mine") as soon as the name is yours, then look whether the result is there
/// already, then work, then append the result. The first record makes every later write of an earlier holder void, whenever it
/// comes; a result it wrote before is seen. `leasehold-demo` does this.
///
/// Thread-safe. Survives crashes of its users; after a power failure the last records may be missing (no fsync).
/// Not for network file systems (O_APPEND is not atomic there): refused with errc::misconfigured.
class LEASEHOLD_API fenced_log {
 public:
  struct record {
    std::string name;
    std::uint64_t token = 0;
    std::vector<std::byte> payload;
    bool is_void = false;
  };
  struct summary {
    std::vector<record> records;  ///< in file order, void ones included and marked
    std::uint64_t damaged = 0;    ///< places where records were torn or damaged
  };
  /// How far a reader has come, and the largest token per name up to there. Belongs to one log. Not thread-safe.
  class cursor {
    friend class fenced_log;
    std::uint64_t position_ = 0;
    std::unordered_map<std::string, std::uint64_t> largest_;
  };

  /// Creates the file (mode 0600) if needed. Errors: errc::auth, errc::misconfigured (not one of ours, network file system),
  /// errc::unavailable, each with the path and what to do.
  [[nodiscard]] static result<fenced_log> open(std::filesystem::path const& path);

  fenced_log(fenced_log&&) noexcept;
  fenced_log& operator=(fenced_log&&) noexcept;
  ~fenced_log();

  /// Appends. Does not read the file: whether it is void shows on reading. errc::bad_name as for locks; errc::bad_option for a
  /// payload above 64 KiB; errc::unavailable when the disk is full (a partial record is then damaged, never mistaken for a
  /// record); errc::misconfigured when the file has been deleted meanwhile.
  [[nodiscard]] result<void> append(std::string_view name, std::uint64_t token, std::span<std::byte const> payload);
  /// The whole file; what is incomplete at its end (torn, or just being written) counts as damaged.
  [[nodiscard]] result<summary> read() const;
  /// What came after the last call with this cursor; all of it at first. What is incomplete at the end is left to the next call.
  /// errc::misconfigured when the file has become shorter meanwhile.
  [[nodiscard]] result<summary> read(cursor& from) const;

 private:
  struct state;
  explicit fenced_log(std::unique_ptr<state> s) noexcept;
  std::unique_ptr<state> state_;
};

}  // namespace leasehold::inline v0_1
