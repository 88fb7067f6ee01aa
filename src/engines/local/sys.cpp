#include "engines/local/sys.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace leasehold::inline v0_1::local {

#ifdef LEASEHOLD_CRASH_POINTS
void (*crash_hook)(char const* where) = nullptr;
#endif

instant now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, duration at_most) noexcept {
  auto const s = std::chrono::duration_cast<std::chrono::seconds>(at_most);
  timespec const timeout{s.count(), (at_most - s).count()};
  ::syscall(SYS_futex, &word, FUTEX_WAIT, expected, &timeout, nullptr, 0);
}

void futex_wake(std::atomic<std::uint32_t>& word, int how_many) noexcept {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, how_many, nullptr, nullptr, 0);
  crash_point();
}

bool has_futex_waitv() noexcept {
  constexpr long number = 449;  // futex_waitv, the same on every architecture
  return ::syscall(number, nullptr, 0, 0, nullptr, 0) == 0 || errno != ENOSYS;
}

}  // namespace leasehold::inline v0_1::local
