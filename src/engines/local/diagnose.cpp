// Decides what a health check says about a local store.
#include "engines/local/backend.hpp"

#include <linux/futex.h>
#include <sys/stat.h>

#include <ctime>

namespace leasehold::inline v0_1::local {

namespace {

using level = finding::level;

std::string uuid_of(view const& mem) {
  std::string text;
  for (auto const byte : mem.header().uuid) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

finding store_identity(session const& s) {
  auto const& file = s.file();
  struct ::stat status {};
  bool const there =
      ::stat(file.path().c_str(), &status) == 0 && status.st_ino == file.inode() && status.st_dev == file.device();
  std::string const text = file.path() + ", device:inode " + std::to_string(file.device()) + ":" +
                           std::to_string(file.inode()) + ", uuid " + uuid_of(s.mem());
  if (there) return {level::pass, "local/store", text, {}};
  return {level::fail, "local/store", text + ": another file, or none, has that name now",
          "stop every process that uses the old file, then start again: two files are two stores"};
}

finding file_system(session const& s) {
  if (!is_memory_file_system(s.file().fd())) return {level::pass, "local/filesystem", "on a local disk", {}};
  return {level::warn, "local/filesystem",
          "in memory (tmpfs): gone after a reboot; tokens then go on from the wall clock",
          "use a path on a disk if tokens must grow whatever the clock does"};
}

finding access(session const& s, bool common) {
  struct ::stat status {};
  if (::fstat(s.file().fd(), &status) != 0) return {level::fail, "local/access", "cannot be examined", {}};
  std::string text = "owner uid " + std::to_string(status.st_uid) + ", mode 0";
  for (int shift = 6; shift >= 0; shift -= 3) text += std::to_string(status.st_mode >> shift & 7);
  return {level::pass, "local/access", text + (common ? ", shared by all users, who must trust each other" : ""), {}};
}

finding waiting_words(bool use_waitv) {
  if (use_waitv && has_futex_waitv())
    return {level::pass, "local/futex_waitv", "a waiter learns of a holder's death at once", {}};
  return {level::warn, "local/futex_waitv", "not available: a holder's death is noticed within 50 ms, and waiters poll",
          "Linux 5.16 or later; allow futex_waitv in the sandbox"};
}

finding clocks() {
  timespec boot{};
  timespec steady{};
  ::clock_gettime(CLOCK_MONOTONIC, &steady);
  bool const has_boot = ::clock_gettime(CLOCK_BOOTTIME, &boot) == 0;
  if (!has_boot)
    return {level::warn, "local/clock", "no CLOCK_BOOTTIME: a TTL stands still while the machine sleeps",
            "use a newer kernel"};
  bool const same = boot.tv_sec - steady.tv_sec < 1;
  return {level::pass,
          "local/clock",
          same ? "BOOTTIME agrees with MONOTONIC: never suspended, or a sandbox that cannot tell"
               : "BOOTTIME counts suspended time",
          {}};
}

finding capacity(session const& s) {
  auto const& mem = s.mem();
  u64 held = 0;
  for (u32 shard = 0; shard < shard_count; ++shard) {
    id const first = mem.first_record(shard);
    for (id which = first; which < first + mem.used_records(shard); ++which) {
      auto const k = word{get(mem.record_at(which).word)}.kind();
      held += k != kind::free && k != kind::changing;
    }
  }
  u64 const of = mem.header().capacity;
  bool const tight = held * 10 > of * 8;
  return {tight ? level::warn : level::pass, "local/capacity",
          std::to_string(held) + " of " + std::to_string(of) + " names in use",
          tight ? "make a larger store: local:PATH?capacity=N" : ""};
}

finding processes(session const& s) {
  u32 live = 0;
  u32 dead = 0;
  for (u32 slot = 0; slot < s.mem().used_processes(); ++slot) {
    auto const& p = s.mem().process(static_cast<u16>(slot));
    if (get(p.state) == process_state::free) continue;
    ++(s.fate_of(static_cast<u16>(slot)) == fate::gone ? dead : live);
  }
  return {level::pass,
          "local/processes",
          std::to_string(live) + " alive, " + std::to_string(dead) + " dead and not yet swept, of " +
              std::to_string(process_count),
          {}};
}

}  // namespace

std::vector<finding> findings_of(session const& s, bool common, bool use_waitv) {
  return {store_identity(s), file_system(s), access(s, common), waiting_words(use_waitv),
          clocks(),          capacity(s),    processes(s)};
}

}  // namespace leasehold::inline v0_1::local
