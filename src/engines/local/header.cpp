// Decides how a store file is created and how its header is judged. A file appears under its name complete, and never in place of
// another: recreating a live one would hand out every lock in it a second time.
#include "engines/local/file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace leasehold::inline v0_1::local {

namespace {

constexpr std::size_t checked_bytes = offsetof(header, checksum);
/// The constant part of a header; the counters behind it begin as zeros.
struct preface {
  std::array<char, 16> magic = store_magic;
  u32 version = format_version;
  u32 layout_hash = local::layout_hash();
  u64 capacity = 0;
  u64 file_bytes = 0;
  std::array<std::uint8_t, 16> uuid{};
  u32 reserved = 0;
  u32 checksum = 0;

  [[nodiscard]] u32 compute() const noexcept {
    return static_cast<u32>(hash_name({reinterpret_cast<char const*>(this), checked_bytes}));
  }
};
static_assert(sizeof(preface) == 64 && offsetof(preface, checksum) == checked_bytes);

std::string directory_of(std::string const& path) {
  auto const slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

result<void> make_directories(std::string const& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    std::string const part = path.substr(0, slash);
    if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) {
      int const error = errno;
      struct ::stat there {};
      if (::stat(part.c_str(), &there) != 0) return system_failure(error, part, "directory cannot be created");
    }
    if (slash == std::string::npos) return {};
  }
}

result<void> fill(location const& where, int fd) {
  preface p;
  p.capacity = where.capacity != 0 ? where.capacity : capacity_default;
  p.file_bytes = geometry::of(p.capacity).bytes;
  if (::getrandom(p.uuid.data(), p.uuid.size(), 0) != static_cast<ssize_t>(p.uuid.size())) {
    return system_failure(errno, where.path, "no random bytes for its identity");
  }
  p.checksum = p.compute();
  if (::fchmod(fd, where.common ? 0666 : 0600) != 0) return system_failure(errno, where.path, "mode cannot be set");
  if (int const error = ::posix_fallocate(fd, 0, static_cast<off_t>(p.file_bytes)); error != 0) {
    return system_failure(error, where.path, "cannot be given its " + std::to_string(p.file_bytes >> 20) + " MiB");
  }
  if (::pwrite(fd, &p, sizeof p, 0) != static_cast<ssize_t>(sizeof p) || ::fsync(fd) != 0) {
    return system_failure(errno, where.path, "header cannot be written");
  }
  crash_point();
  return {};
}

/// Gives an unnamed file its name, unless somebody was faster.
result<void> give_name(location const& where, int fd, std::string const& temporary) {
  std::string const from = temporary.empty() ? "/proc/self/fd/" + std::to_string(fd) : temporary;
  int const done = ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, where.path.c_str(), AT_SYMLINK_FOLLOW);
  int const error = errno;
  crash_point();
  if (!temporary.empty()) ::unlink(temporary.c_str());
  if (done != 0 && error != EEXIST) return system_failure(error, where.path, "cannot be created");
  int const directory = ::open(directory_of(where.path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory >= 0) {
    ::fsync(directory);
    ::close(directory);
  }
  return {};
}

}  // namespace

result<void> create_file(location const& where) {
  auto const directory = directory_of(where.path);
  if (auto made = make_directories(directory, where.common ? 0755 : 0700); !made) return made;
  std::string temporary;
  int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL)) {
    temporary = where.path + ".new-XXXXXX";
    fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  }
  if (fd < 0) return system_failure(errno, where.path, "cannot be created");
  auto const kind = refused_file_system(fd);
  result<void> made = kind.empty() ? fill(where, fd)
                                   : result<void>(file_failure(errc::misconfigured, where.path, "would lie on " + kind,
                                                               "use a path on a local disk, or a networked engine"));
  if (made)
    made = give_name(where, fd, temporary);
  else if (!temporary.empty())
    ::unlink(temporary.c_str());
  ::close(fd);
  return made;
}

result<geometry> check_header(std::string const& path, int fd, u64 bytes) {
  auto const never = "nothing was changed; move the file away only when no process uses it (fuser " + path + ")";
  preface p;
  if (bytes < geometry::page || ::pread(fd, &p, sizeof p, 0) != static_cast<ssize_t>(sizeof p)) {
    return file_failure(errc::misconfigured, path, "is too short to be a store (" + std::to_string(bytes) + " bytes)",
                        never);
  }
  if (p.magic != store_magic)
    return file_failure(errc::misconfigured, path, "is not a leasehold store", "name another file");
  if (p.version > format_version) {
    return file_failure(
        errc::misconfigured, path,
        "has format " + std::to_string(p.version) + ", newer than ours (" + std::to_string(format_version) + ")",
        "upgrade leasehold");
  }
  if (p.checksum != p.compute()) return file_failure(errc::misconfigured, path, "has a damaged header", never);
  if (p.version != format_version || p.layout_hash != layout_hash()) {
    return file_failure(errc::misconfigured, path, "was made by a build with another layout (version or word size)",
                        "use the same leasehold everywhere, or another path");
  }
  bool const sane = p.capacity >= 1 && p.capacity <= capacity_max && geometry::of(p.capacity).bytes == p.file_bytes;
  if (!sane) return file_failure(errc::misconfigured, path, "has a damaged header", never);
  if (bytes < p.file_bytes) {
    return file_failure(errc::misconfigured, path,
                        "is truncated: " + std::to_string(bytes) + " of " + std::to_string(p.file_bytes) + " bytes",
                        never);
  }
  return geometry::of(p.capacity);
}

}  // namespace leasehold::inline v0_1::local
