// Decides what a reboot means: everybody who held is dead, the tables begin empty, and tokens go on above all earlier ones.
//
// Three floors carry the counter over a reboot. The counter itself may be old after a power cut, because nobody syncs it. The
// ceiling is synced before any token beyond it is granted, so on a disk it alone suffices, whatever the clocks say. Wall time
// covers the rest: a file on tmpfs, or deleted and made again.
#include "engines/local/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

namespace leasehold::inline v0_1::local {

namespace {

constexpr u64 reserved_tokens = u64{1} << 36;

/// The kernel's random id of this boot, as two numbers; zeros when it cannot be read.
std::array<u64, 2> boot_id() {
  std::array<char, 37> text{};
  int const fd = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  auto const n = ::read(fd, text.data(), 36);
  ::close(fd);
  std::array<u64, 2> id{};
  std::size_t digits = 0;
  for (auto i = 0; i < n && digits < 32; ++i) {
    char const c = text[static_cast<std::size_t>(i)];
    int const value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (value < 0) continue;
    id[digits / 16] = id[digits / 16] << 4 | static_cast<u64>(value);
    ++digits;
  }
  return id;
}

result<void> empty_tables(mapped_file const& file) {
  auto const bytes = file.mem().geometry().bytes - geometry::page;
  auto& head = file.mem().header();
  for (auto* counter : {&head.process_high, &head.seat_high, &head.seat_hint, &head.block_high, &head.block_hint})
    put(*counter, 0);
  put(head.pid_namespace, 0);
  if (::fallocate(file.fd(), FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, geometry::page, static_cast<off_t>(bytes)) !=
      0) {
    if (errno == ENOSPC || errno == EIO)
      return system_failure(errno, file.path(), "cannot be emptied after the reboot");
    std::memset(reinterpret_cast<std::byte*>(&head) + geometry::page, 0, bytes);
  }
  crash_point();
  return {};
}

}  // namespace

file_lock::~file_lock() {
  if (!locked_) return;
  struct ::flock all {};
  all.l_type = F_UNLCK;
  ::fcntl(file_.fd(), F_OFD_SETLK, &all);
}

result<void> file_lock::lock() {
  struct ::flock all {};
  all.l_type = F_WRLCK;
  auto& registrar = file_.mem().header().registrar;
  instant const give_up = now() + 2'000'000'000;
  for (duration pause = std::chrono::microseconds(50);;
       pause = std::min<duration>(pause * 2, std::chrono::milliseconds(10))) {
    if (::fcntl(file_.fd(), F_OFD_SETLK, &all) == 0) break;
    if (errno != EAGAIN && errno != EACCES) return system_failure(errno, file_.path(), "cannot be locked");
    if (now() > give_up) {
      return file_failure(errc::unavailable, file_.path(),
                          "process " + std::to_string(get(registrar)) + " has been opening it for two seconds",
                          "is that process stopped? resume or kill it");
    }
    std::this_thread::sleep_for(pause);
  }
  locked_ = true;
  put(registrar, static_cast<u32>(::getpid()));
  return {};
}

result<void> enter_boot(mapped_file const& file) {
  auto& head = file.mem().header();
  auto const boot = boot_id();
  if (boot == std::array<u64, 2>{}) {
    return file_failure(errc::unsupported, file.path(), "this system does not tell which boot it is",
                        "mount /proc with sys/kernel/random/boot_id");
  }
  auto is_current = [&] { return get(head.boot[0]) == boot[0] && get(head.boot[1]) == boot[1]; };
  if (is_current()) return {};
  file_lock lock(file);
  if (auto locked = lock.lock(); !locked) return locked;
  if (is_current()) return {};
  if (auto emptied = empty_tables(file); !emptied) return emptied;
  u64 const first = std::max({get(head.token), get(head.ceiling), token_floor()});
  put(head.token, first);
  put(head.ceiling, first + reserved_tokens);
  if (::msync(&head, geometry::page, MS_SYNC) != 0) return system_failure(errno, file.path(), "cannot be synced");
  // INVARIANT: last. A crash before this line makes the next process begin again.
  put(head.boot[0], boot[0]);
  put(head.boot[1], boot[1]);
  return {};
}

void keep_ceiling(view const& mem) noexcept {
  auto& head = mem.header();
  u64 const wanted = get(head.token) + reserved_tokens;
  u64 ceiling = get(head.ceiling);
  if (ceiling > wanted - reserved_tokens / 2) return;
  while (ceiling < wanted && !swap(head.ceiling, ceiling, wanted)) {
  }
  ::msync(&head, geometry::page, MS_SYNC);
}

}  // namespace leasehold::inline v0_1::local
