// Decides how tests of fences freeze a real holder between its check and its write, and thaw it once another has written.
#pragma once

#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace leasehold::test {

class temp_directory {
 public:
  temp_directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "leasehold-fence-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  temp_directory(temp_directory const&) = delete;
  temp_directory& operator=(temp_directory const&) = delete;
  ~temp_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::filesystem::path const& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

using fenced_write = std::function<result<void>(std::uint64_t token, std::string const& value)>;

/// A process takes the lock, and is stopped until its lease has expired and this process, as the next holder, has written "second". Then it
/// goes on and writes "first", as it had decided to. `connect` is called once in each process. Succeeds if that write is refused as stale
/// and its lease is found lost.
inline void expect_a_frozen_holder_is_fenced(std::string const& store_url,
                                             std::function<fenced_write()> const& connect) {
  acquire_options const options{.ttl = std::chrono::milliseconds(500)};
  pid_t const frozen = ::fork();
  if (frozen == 0) {
    auto const write = connect();
    auto const locks = open(store_url);
    auto const mine = locks.acquire("account/1", options);
    if (!mine.held()) ::_exit(2);
    ::raise(SIGSTOP);
    auto const written = write(mine.token(), "first");
    ::_exit(written.error() != errc::lost ? 3 : mine.held() ? 4 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(frozen, &status, WUNTRACED), frozen);
  ASSERT_TRUE(WIFSTOPPED(status)) << status;
  {
    auto const write = connect();
    auto const locks = open(store_url);
    auto const next = locks.acquire("account/1", options);  // once the frozen one's lease has expired
    auto const written = write(next.token(), "second");
    EXPECT_TRUE(written.has_value()) << written.error().message();
  }
  ::kill(frozen, SIGCONT);
  ASSERT_EQ(::waitpid(frozen, &status, 0), frozen);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "3: its late write was not refused; 4: it still believed in its lease";
}

}  // namespace leasehold::test
