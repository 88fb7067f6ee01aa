// Decides which files are store files: how one comes into being, and what is refused.
#pragma once

#include "engines/local/view.hpp"

#include <leasehold/result.hpp>

#include <string>

#include <sys/stat.h>
#include <sys/types.h>

namespace leasehold::inline v0_1::local {

/// Where a store lies and who may share it.
struct location {
  std::string path;
  bool common = false;  ///< every user of the machine shares it (`local:system`): mode 0666, any owner
  u64 capacity = 0;     ///< names asked for; 0: not asked
};

inline constexpr u64 capacity_default = 65536;

/// An open and mapped store file. Move-only.
class mapped_file {
 public:
  mapped_file() = default;
  mapped_file(mapped_file&& other) noexcept;
  mapped_file& operator=(mapped_file&& other) noexcept;
  ~mapped_file();

  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] view const& mem() const noexcept { return mem_; }
  [[nodiscard]] std::string const& path() const noexcept { return path_; }
  [[nodiscard]] dev_t device() const noexcept { return device_; }
  [[nodiscard]] ino_t inode() const noexcept { return inode_; }

 private:
  friend result<mapped_file> open_file(location const& where);
  int fd_ = -1;
  void* base_ = nullptr;
  u64 bytes_ = 0;
  view mem_;
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

/// Opens the store, after creating it if it is not there. Errors, each with the path and the remedy: errc::auth (owner, mode,
/// permission), errc::misconfigured (file system, not a store, damaged, truncated, of a newer version), errc::unavailable (no room).
[[nodiscard]] result<mapped_file> open_file(location const& where);

// The steps of open_file.
[[nodiscard]] result<void> create_file(location const& where);
[[nodiscard]] result<void> check_access(location const& where, int fd, struct ::stat const& status);
/// The geometry of a store file of this length.
[[nodiscard]] result<geometry> check_header(std::string const& path, int fd, u64 bytes);

/// Empty: shared mappings and file locks can be relied on. Else the name of the file system that is refused.
[[nodiscard]] std::string refused_file_system(int fd);
[[nodiscard]] std::string refused_file_system_name(unsigned long magic);
[[nodiscard]] bool is_memory_file_system(int fd);

/// A failure that names the file and what to do.
[[nodiscard]] failure file_failure(std::error_code code, std::string const& path, std::string const& what,
                                   std::string hint = {});
[[nodiscard]] failure system_failure(int error, std::string const& path, std::string const& what);

/// The whole-file lock that guards entering, leaving and resetting. The kernel drops it at the holder's death.
class file_lock {
 public:
  explicit file_lock(mapped_file const& file) noexcept : file_(file) {}
  file_lock(file_lock const&) = delete;
  ~file_lock();
  /// errc::unavailable naming the process that does not let go, after two seconds.
  [[nodiscard]] result<void> lock();

 private:
  mapped_file const& file_;
  bool locked_ = false;
};

/// Makes the tables empty if they belong to an earlier boot, and sees to it that tokens go on growing.
[[nodiscard]] result<void> enter_boot(mapped_file const& file);
/// Keeps the durable token ceiling far above the counter.
void keep_ceiling(view const& mem) noexcept;
/// Microseconds of wall time: where the tokens of a store without memory begin (guarantee HLC floor). Decides nothing else.
[[nodiscard]] u64 token_floor() noexcept;

}  // namespace leasehold::inline v0_1::local
