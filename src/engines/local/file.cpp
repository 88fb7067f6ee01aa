#include "engines/local/file.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <utility>

namespace leasehold::inline v0_1::local {

namespace {

struct file_system {
  unsigned long magic;
  char const* name;
};
constexpr std::array refused_file_systems{
    file_system{0x6969, "NFS"},       file_system{0x65735546, "FUSE"},  file_system{0x01021997, "9p"},
    file_system{0x517B, "SMB"},       file_system{0xFF534D42, "CIFS"},  file_system{0xFE534D42, "SMB2"},
    file_system{0x5346414F, "AFS"},   file_system{0x00C36400, "Ceph"},  file_system{0x73757245, "Coda"},
    file_system{0x01161970, "GFS2"},  file_system{0x7461636F, "OCFS2"}, file_system{0x0BD00BD0, "Lustre"},
    file_system{0x19830326, "FhGFS"}, file_system{0xAAD7AAEA, "PanFS"}, file_system{0x47504653, "GPFS"},
};

unsigned long magic_of(int fd) {
  struct ::statfs info {};
  return ::fstatfs(fd, &info) == 0 ? static_cast<unsigned long>(info.f_type) & 0xFFFFFFFFUL : 0;
}

int open_existing(location const& where) {
  return ::open(where.path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

}  // namespace

failure file_failure(std::error_code code, std::string const& path, std::string const& what, std::string hint) {
  return {code, diagnostics("store file " + path + ": " + what, std::move(hint))};
}

failure system_failure(int error, std::string const& path, std::string const& what) {
  std::string const text = what + ": " + std::generic_category().message(error);
  if (error == EACCES || error == EPERM || error == EROFS) {
    return file_failure(errc::auth, path, text, "use a path you may write, or ask its owner");
  }
  if (error == ENOSPC || error == EDQUOT)
    return file_failure(errc::unavailable, path, text, "make room on that file system");
  if (error == EISDIR || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG || error == ENXIO) {
    return file_failure(errc::misconfigured, path, text, "name a file in a directory that exists");
  }
  return file_failure(errc::unavailable, path, text);
}

std::string refused_file_system(int fd) { return refused_file_system_name(magic_of(fd)); }

std::string refused_file_system_name(unsigned long magic) {
  for (auto const& f : refused_file_systems) {
    if (f.magic == magic) return f.name;
  }
  return {};
}

bool is_memory_file_system(int fd) {
  auto const magic = magic_of(fd);
  return magic == TMPFS_MAGIC || magic == RAMFS_MAGIC;
}

mapped_file::mapped_file(mapped_file&& other) noexcept { *this = std::move(other); }
mapped_file& mapped_file::operator=(mapped_file&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  std::swap(mem_, other.mem_);
  std::swap(path_, other.path_);
  std::swap(device_, other.device_);
  std::swap(inode_, other.inode_);
  return *this;
}
mapped_file::~mapped_file() {
  if (base_ != nullptr) ::munmap(base_, bytes_);
  if (fd_ >= 0) ::close(fd_);
}

result<void> check_access(location const& where, int fd, struct ::stat const& status) {
  if (!S_ISREG(status.st_mode)) {
    return file_failure(errc::misconfigured, where.path, "is not a regular file",
                        "name a file, not a directory or device");
  }
  if (auto const kind = refused_file_system(fd); !kind.empty()) {
    return file_failure(errc::misconfigured, where.path,
                        "lies on " + kind +
                            ", where processes of other machines, or the "
                            "file system itself, would not see each other's locks",
                        "use a path on a local disk, or a networked engine");
  }
  if (where.common) return {};
  if (status.st_uid != ::geteuid()) {
    return file_failure(
        errc::auth, where.path,
        "belongs to uid " + std::to_string(status.st_uid) + ", not to us (uid " + std::to_string(::geteuid()) + ")",
        "use a store of your own, or local:system to share one between users");
  }
  if ((status.st_mode & 022) != 0) {
    return file_failure(errc::auth, where.path, "is writable by others", "chmod go-w it, or use local:system");
  }
  return {};
}

result<mapped_file> open_file(location const& where) {
  mapped_file file;
  file.path_ = where.path;
  file.fd_ = open_existing(where);
  if (file.fd_ < 0 && errno == ENOENT) {
    if (auto made = create_file(where); !made) return made.get_failure();
    file.fd_ = open_existing(where);
  }
  if (file.fd_ < 0) return system_failure(errno, where.path, "cannot be opened");
  struct ::stat status {};
  if (::fstat(file.fd_, &status) != 0) return system_failure(errno, where.path, "cannot be examined");
  if (auto ok = check_access(where, file.fd_, status); !ok) return ok.get_failure();
  file.device_ = status.st_dev;
  file.inode_ = status.st_ino;
  auto const geometry = check_header(where.path, file.fd_, static_cast<u64>(status.st_size));
  if (!geometry) return geometry.get_failure();
  // Every block is allocated, so that a full disk is an error now and no SIGBUS later.
  if (static_cast<u64>(status.st_blocks) * 512 < geometry->bytes &&
      ::fallocate(file.fd_, 0, 0, static_cast<off_t>(geometry->bytes)) != 0 && errno != EOPNOTSUPP) {
    return system_failure(errno, where.path, "cannot be given its space");
  }
  file.bytes_ = geometry->bytes;
  void* const base = ::mmap(nullptr, file.bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file.fd_, 0);
  if (base == MAP_FAILED) return system_failure(errno, where.path, "cannot be mapped");
  // Names lie all over the tables: reading the neighbours of each ahead would only fill memory.
  static_cast<void>(::madvise(base, file.bytes_, MADV_RANDOM));
  file.base_ = base;
  file.mem_ = view(static_cast<std::byte*>(base), *geometry);
  if (auto ready = enter_boot(file); !ready) return ready.get_failure();
  return file;
}

}  // namespace leasehold::inline v0_1::local
