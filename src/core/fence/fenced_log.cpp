// Decides how processes share one append-only file: who writes its header, one write(2) per record, and what each
// failure means.
#include "core/fence/file_system.hpp"
#include "core/fence/record_codec.hpp"

#include <leasehold/store.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace leasehold::inline v0_1 {

struct fenced_log::state {
  state(std::filesystem::path where, int descriptor) : path(std::move(where)), fd(descriptor) {}
  state(state const&) = delete;
  state& operator=(state const&) = delete;
  ~state() {
    if (fd >= 0) ::close(fd);
  }

  [[nodiscard]] failure fail(errc code, std::string_view what, std::string hint, std::string system_text = {}) const {
    return {code, diagnostics("fenced log " + path.string() + " " + std::string(what), std::move(hint),
                              std::move(system_text))};
  }
  [[nodiscard]] failure fail_by_errno(std::string_view what, int error) const;

  [[nodiscard]] result<void> check_file() const;
  [[nodiscard]] result<void> check_or_write_header() const;
  [[nodiscard]] result<std::vector<std::byte>> read_from(std::uint64_t position) const;
  [[nodiscard]] result<summary> read(cursor& from, bool to_the_end) const;

  std::filesystem::path path;
  int fd;
};

namespace {

/// A whole-file lock of this open file description; dropped by the kernel with the descriptor, whatever becomes of us.
class file_lock {
 public:
  explicit file_lock(int fd) noexcept : fd_(fd), error_(set(F_WRLCK)) {}
  file_lock(file_lock const&) = delete;
  file_lock& operator=(file_lock const&) = delete;
  ~file_lock() { set(F_UNLCK); }
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  int set(short type) const noexcept {
    struct flock whole {};
    whole.l_type = type;
    whole.l_whence = SEEK_SET;
    while (::fcntl(fd_, F_OFD_SETLKW, &whole) != 0) {
      if (errno != EINTR) return errno;
    }
    return 0;
  }
  int fd_;
  int error_;
};

struct meaning {
  errc code;
  char const* hint;
};

meaning meaning_of(int error) noexcept {
  switch (error) {
    case EACCES:
    case EPERM:
      return {errc::auth, "give this user read and write permission on the file and its directory"};
    case EROFS:
      return {errc::auth, "the file system is mounted read-only; choose another path"};
    case ENOENT:
    case ENOTDIR:
      return {errc::misconfigured, "create the directory first"};
    case EISDIR:
    case ENXIO:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL:
      return {errc::misconfigured, "choose the path of a regular file"};
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return {errc::unavailable, "make room on the disk (or raise the quota) and append again"};
    default:
      return {errc::unavailable, "try again; if it stays, check the disk and the limits of this process"};
  }
}

ssize_t write_once(int fd, core::bytes_view bytes) noexcept {
  ssize_t written = 0;
  do written = ::write(fd, bytes.data(), bytes.size());
  while (written < 0 && errno == EINTR);  // on a regular file EINTR means that nothing was written
  return written;
}

}  // namespace

failure fenced_log::state::fail_by_errno(std::string_view what, int error) const {
  auto const [code, hint] = meaning_of(error);
  auto text = std::generic_category().message(error);
  auto what_and_why = std::string(what) + ": " + text;
  return fail(code, what_and_why, hint, std::move(text));
}

result<void> fenced_log::state::check_file() const {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return fail_by_errno("cannot be examined", errno);
  if (!S_ISREG(file.st_mode))
    return fail(errc::misconfigured, "is not a regular file", "choose the path of a regular file");
  struct statfs system {};
  if (::fstatfs(fd, &system) != 0) return fail_by_errno("cannot be examined", errno);
  auto const network = core::network_file_system(static_cast<unsigned long>(system.f_type));
  if (!network.empty()) {
    return fail(errc::misconfigured,
                "is on a network file system (" + std::string(network) + "), where appends are not atomic",
                "put it on a disk of this machine");
  }
  return {};
}

/// Whoever comes first writes the header. A header cut short (its writer died, or the disk was full) is begun anew: no
/// record can follow it, since nobody opened the log successfully.
result<void> fenced_log::state::check_or_write_header() const {
  auto const wanted = core::log_header();
  file_lock const guard(fd);
  if (guard.error() != 0) return fail_by_errno("cannot be locked", guard.error());
  std::array<std::byte, core::log_header_size> found{};
  auto const size = ::pread(fd, found.data(), found.size(), 0);
  if (size < 0) return fail_by_errno("cannot be read", errno);
  auto const present = core::bytes_view(found).first(static_cast<std::size_t>(size));
  if (present.size() < wanted.size() && std::equal(present.begin(), present.end(), wanted.begin())) {
    if (::ftruncate(fd, 0) != 0) return fail_by_errno("cannot be begun", errno);
    auto const written = write_once(fd, wanted);
    if (written < 0) return fail_by_errno("cannot be begun", errno);
    if (written != static_cast<ssize_t>(wanted.size())) return fail_by_errno("cannot be begun", ENOSPC);
    return {};
  }
  auto checked = core::check_log_header(present);
  if (checked) return checked;
  auto const& why = checked.get_failure();
  return fail(errc::misconfigured, why.details.message(), std::string(why.details.hint()));
}

result<std::vector<std::byte>> fenced_log::state::read_from(std::uint64_t position) const {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return fail_by_errno("cannot be examined", errno);
  auto const size = static_cast<std::uint64_t>(file.st_size);
  if (size < position) {
    return fail(errc::misconfigured, "has become shorter while in use",
                "an append-only log must not be truncated or edited");
  }
  std::vector<std::byte> bytes(static_cast<std::size_t>(size - position));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    auto const got = ::pread(fd, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(position + filled));
    if (got == 0) break;
    if (got < 0 && errno != EINTR) return fail_by_errno("cannot be read", errno);
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

fenced_log::fenced_log(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
fenced_log::fenced_log(fenced_log&&) noexcept = default;
fenced_log& fenced_log::operator=(fenced_log&&) noexcept = default;
fenced_log::~fenced_log() = default;

result<fenced_log> fenced_log::open(std::filesystem::path const& path) {
  // O_NONBLOCK: opening a FIFO or a device by mistake must not hang.
  int const fd = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
  int const error = errno;
  auto opened = std::make_unique<state>(path, fd);
  if (fd < 0) return opened->fail_by_errno("cannot be opened", error);
  if (auto const checked = opened->check_file(); !checked) return checked.get_failure();
  if (auto const checked = opened->check_or_write_header(); !checked) return checked.get_failure();
  return fenced_log(std::move(opened));
}

result<void> fenced_log::append(std::string_view name, std::uint64_t token, std::span<std::byte const> payload) {
  if (auto checked = check_name(name); !checked) return checked;
  if (payload.size() > core::record_payload_max) {
    return state_->fail(errc::bad_option,
                        "takes payloads of at most 64 KiB, not " + std::to_string(payload.size()) + " bytes",
                        "store the data elsewhere and its place here");
  }
  struct stat file {};
  if (::fstat(state_->fd, &file) != 0) return state_->fail_by_errno("cannot be examined", errno);
  if (file.st_nlink == 0) {
    return state_->fail(errc::misconfigured, "has been deleted while in use", "open it again, in every process");
  }
  auto const encoded = core::encode_record(name, token, payload);
  // INVARIANT: one write(2); the rest of a short one is not sent after it, because another record may have come in
  // between.
  auto const written = write_once(state_->fd, encoded);
  if (written < 0) return state_->fail_by_errno("cannot be written", errno);
  if (written != static_cast<ssize_t>(encoded.size())) return state_->fail_by_errno("was written only in part", ENOSPC);
  return {};
}

result<fenced_log::summary> fenced_log::state::read(cursor& from, bool to_the_end) const {
  auto const start = std::max<std::uint64_t>(from.position_, core::log_header_size);
  auto const bytes = read_from(start);
  if (!bytes) return bytes.get_failure();
  summary found;
  auto const used = core::decode_records(*bytes, found);
  from.position_ = start + used;
  if (to_the_end && used < bytes->size()) ++found.damaged;
  for (auto& entry : found.records) {
    auto& largest = from.largest_[entry.name];
    entry.is_void = entry.token < largest;
    largest = std::max(largest, entry.token);
  }
  return found;
}

result<fenced_log::summary> fenced_log::read() const {
  cursor all;
  return state_->read(all, true);
}

result<fenced_log::summary> fenced_log::read(cursor& from) const { return state_->read(from, false); }

}  // namespace leasehold::inline v0_1
