// Decides that damage costs only the records it hits, and that crashes, full disks and crowds of writers are no worse.
#include "fence/log_fixture.hpp"

#include <leasehold/error.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <map>
#include <random>

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

namespace leasehold::test {
namespace {

using fence_damage = log_test;

std::string payload_for(std::uint64_t n) {
  // Zeros and lengths around the encoding's block size are the interesting ones.
  return std::to_string(n) + std::string(n % 300, static_cast<char>(n % 7)) + ".";
}

/// Every record read must be one that was written.
void expect_only_true_records(fenced_log::summary const& found) {
  for (auto const& record : found.records) ASSERT_EQ(text_of(record.payload), payload_for(record.token));
}

TEST_F(fence_damage, FENCE_4_one_damaged_byte_costs_one_record) {
  constexpr std::uint64_t count = 5;
  for (std::uint64_t n = 1; n <= count; ++n) open().append("x", n, bytes_of(payload_for(n * 41))).value();
  auto const whole = file();
  for (std::size_t at = log_header_size; at < whole.size(); ++at) {
    for (char const mask : {'\x01', '\x80', '\xFF', whole[at]}) {  // the last one writes a zero
      if (mask == 0) continue;
      auto damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ mask);
      overwrite(damaged);
      auto const found = read();
      EXPECT_EQ(found.records.size(), count - 1) << "byte " << at << " xor " << static_cast<int>(mask);
      EXPECT_GE(found.damaged, 1u);
    }
  }
}

TEST_F(fence_damage, FENCE_4_a_log_cut_anywhere_keeps_what_is_complete_and_takes_more) {
  for (std::uint64_t n = 1; n <= 4; ++n) open().append("x", n, bytes_of(payload_for(n))).value();
  auto const whole = file();
  std::size_t complete = 0;
  for (std::size_t size = log_header_size; size <= whole.size(); ++size) {
    overwrite(whole.substr(0, size));
    auto const torn = read();
    EXPECT_GE(torn.records.size(), complete);
    complete = torn.records.size();
    open().append("x", 99, bytes_of(payload_for(99))).value();
    auto const resumed = read();
    EXPECT_EQ(resumed.records.size(), complete + 1);
    EXPECT_EQ(resumed.damaged, torn.damaged);
    expect_only_true_records(resumed);
  }
  EXPECT_EQ(complete, 4u);
}

TEST_F(fence_damage, FENCE_4_a_block_of_zeros_is_one_damaged_place) {
  for (std::uint64_t n = 1; n <= 4; ++n) open().append("x", n, bytes_of(payload_for(n))).value();
  auto const whole = file();
  overwrite(whole + std::string(4096, '\0'));
  open().append("x", 5, bytes_of(payload_for(5))).value();
  auto const found = read();
  EXPECT_EQ(found.records.size(), 5u);
  EXPECT_EQ(found.damaged, 1u);
}

TEST_F(fence_damage, FENCE_4_a_record_inside_a_payload_is_never_taken_for_one) {
  open().append("x", 1, bytes_of("inner")).value();
  auto const inner = file().substr(log_header_size);
  overwrite("");
  open().append("y", 2, bytes_of("before" + inner + "after")).value();
  auto const whole = file();
  for (std::size_t at = log_header_size; at < whole.size(); ++at) {
    overwrite(whole.substr(0, log_header_size) + whole.substr(at));
    for (auto const& record : read().records) EXPECT_EQ(record.name, "y");
    overwrite(whole.substr(0, at));
    EXPECT_TRUE(read().records.empty());
  }
}

TEST_F(fence_damage, FENCE_4_random_damage_never_crashes_and_never_invents_a_record) {
  constexpr std::uint64_t count = 40;
  {
    auto log = open();
    for (std::uint64_t n = 1; n <= count; ++n) log.append("x", n, bytes_of(payload_for(n))).value();
  }
  auto const whole = file();
  std::mt19937_64 random(20240607);
  for (int round = 0; round < 1000; ++round) {
    auto damaged = whole;
    for (auto hits = 1 + random() % 8; hits > 0; --hits) {
      auto const at = log_header_size + random() % (damaged.size() - log_header_size);
      auto const length = std::min<std::size_t>(random() % 64, damaged.size() - at);
      switch (random() % 4) {
        case 0:
          damaged[at] = static_cast<char>(random());
          break;
        case 1:
          damaged.erase(at, length);
          break;
        case 2:
          damaged.insert(at, std::string(length, static_cast<char>(random() % 3)));
          break;
        default:
          damaged.insert(at, damaged.substr(log_header_size + random() % 200, length));
          break;
      }
      if (damaged.size() <= log_header_size) break;
    }
    overwrite(damaged);
    auto const found = read();
    expect_only_true_records(found);
    fenced_log::cursor cursor;
    EXPECT_EQ(open().read(cursor).value().records.size(), found.records.size());
  }
}

TEST_F(fence_damage, FENCE_5_processes_that_append_at_once_lose_nothing) {
  constexpr std::uint64_t each = 500;
  std::vector<pid_t> children;
  for (std::uint64_t writer = 0; writer < 4; ++writer) {
    children.push_back(spawn([&] {
      auto log = fenced_log::open(path);  // the first ones race for the header, too
      if (!log) return 1;
      for (std::uint64_t n = 1; n <= each; ++n) {
        auto const token = writer * each + n;
        if (!log->append("w" + std::to_string(writer), token, bytes_of(payload_for(token)))) return 2;
      }
      return 0;
    }));
  }
  for (auto const child : children) EXPECT_EQ(wait_for(child), 0);
  auto const found = read();
  EXPECT_EQ(found.damaged, 0u);
  EXPECT_EQ(found.records.size(), 4 * each);
  expect_only_true_records(found);
  std::map<std::string, std::uint64_t> last;
  for (auto const& record : found.records) {
    EXPECT_FALSE(record.is_void);
    EXPECT_GT(record.token, last[record.name]);
    last[record.name] = record.token;
  }
}

TEST_F(fence_damage, FENCE_5_processes_that_create_the_log_at_once_write_one_header) {
  for (int round = 0; round < 40; ++round) {
    path = directory / std::to_string(round);
    std::array<int, 2> gate{};
    ASSERT_EQ(::pipe(gate.data()), 0);
    std::vector<pid_t> children;
    for (std::uint64_t writer = 1; writer <= 4; ++writer) {
      children.push_back(spawn([&] {
        ::close(gate[1]);
        char byte = 0;
        if (::read(gate[0], &byte, 1) != 0) return 9;  // all start when the parent closes its end
        auto log = fenced_log::open(path);
        return log && log->append("x", writer, bytes_of(payload_for(writer))) ? 0 : 1;
      }));
    }
    ::close(gate[0]);
    ::close(gate[1]);
    for (auto const child : children) EXPECT_EQ(wait_for(child), 0);
    ASSERT_EQ(read().records.size(), 4u);
    ASSERT_EQ(read().damaged, 0u);
  }
}

TEST_F(fence_damage, FENCE_5_writers_killed_in_the_middle_leave_whole_records_or_torn_ones) {
  std::mt19937_64 random(7);
  constexpr int kills = 30;
  for (int round = 0; round < kills; ++round) {
    auto const before = std::filesystem::exists(path) ? std::filesystem::file_size(path) : 0;
    pid_t const child = spawn([&] {
      auto log = fenced_log::open(path);
      for (std::uint64_t n = 1; log; ++n) {
        if (!log->append("x", n, bytes_of(payload_for(n)))) return 1;
      }
      return 2;
    });
    auto const progress = before + 1 + random() % 20'000;
    while (!std::filesystem::exists(path) || std::filesystem::file_size(path) < progress) ::sched_yield();
    ::kill(child, SIGKILL);
    EXPECT_EQ(wait_for(child), 128 + SIGKILL);
  }
  auto const found = read();
  EXPECT_LE(found.damaged, static_cast<std::uint64_t>(kills));
  expect_only_true_records(found);
  open().append("x", 424242, bytes_of(payload_for(424242))).value();
  EXPECT_EQ(read().records.size(), found.records.size() + 1);
}

/// Appends until the disk is full. 0 = every record reported as written can be read, and nothing else.
int fill(std::filesystem::path const& where) {
  auto log = fenced_log::open(where);
  if (!log) return 1;
  std::uint64_t written = 0;
  result<void> last;
  while ((last = log->append("x", written + 1, bytes_of(payload_for(written + 1))))) ++written;
  if (last.error() != errc::unavailable || last.get_failure().details.hint().empty()) return 2;
  auto const found = log->read();
  if (!found || written == 0 || found->records.size() != written) return 3;
  return 0;
}

TEST_F(fence_damage, FENCE_6_a_write_cut_short_is_an_error_and_never_a_record) {
  EXPECT_EQ(wait_for(spawn([&] {
              std::signal(SIGXFSZ, SIG_IGN);
              rlimit const limit{10'001, 10'001};
              if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 9;
              return fill(path);
            })),
            0);
  EXPECT_EQ(std::filesystem::file_size(path), 10'001u);  // so the last write was cut
  auto const found = read();
  EXPECT_EQ(found.damaged, 1u);
  expect_only_true_records(found);
  open().append("x", 77, bytes_of(payload_for(77))).value();
  EXPECT_EQ(read().records.size(), found.records.size() + 1);
}

TEST_F(fence_damage, FENCE_6_a_full_disk_is_an_error_and_never_a_record) {
  constexpr int no_mount = 9;
  int const outcome = wait_for(spawn([&] {
    // In a mount namespace of its own, so that the mount ends with the child.
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", directory.c_str(), "tmpfs", 0, "size=64k") != 0) {
      return no_mount;
    }
    return fill(path);
  }));
  if (outcome == no_mount) GTEST_SKIP() << "FENCE_6_a_full_disk…: mounting a small tmpfs needs root";
  EXPECT_EQ(outcome, 0);
}

}  // namespace
}  // namespace leasehold::test
