// Decides where the fence tests keep their files, and how they look into them.
#pragma once

#include <leasehold/fence.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace leasehold::test {

inline constexpr std::size_t log_header_size = 32;

inline std::span<std::byte const> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

inline std::string text_of(std::vector<std::byte> const& bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// Runs `body` in a forked child; its return value is the child's exit code.
inline pid_t spawn(std::function<int()> const& body) {
  pid_t const child = ::fork();
  if (child == 0) ::_exit(body());
  return child;
}

inline int wait_for(pid_t child) {
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class log_test : public ::testing::Test {
 protected:
  log_test() {
    std::string pattern = (std::filesystem::temp_directory_path() / "leasehold-fence-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    directory = pattern;
    path = directory / "log";
  }
  ~log_test() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }

  [[nodiscard]] std::string file() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  /// In place: the inode stays, and no file system takes it for a replacement that it must flush at once.
  void overwrite(std::string_view content) const {
    auto const mode = std::filesystem::exists(path) ? std::ios::in | std::ios::out : std::ios::out;
    std::fstream out(path, std::ios::binary | mode);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.close();
    std::filesystem::resize_file(path, content.size());
  }
  fenced_log open() const { return fenced_log::open(path).value(); }
  [[nodiscard]] fenced_log::summary read() const { return open().read().value(); }

  std::filesystem::path directory;
  std::filesystem::path path;
};

}  // namespace leasehold::test
