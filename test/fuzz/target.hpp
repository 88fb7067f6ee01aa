// Decides what a fuzz target may use: its entry point, its check, and a scratch file in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/// libFuzzer's entry point; the replay runner calls it too.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

namespace leasehold::fuzz {

/// What a target promises; a crash is how a fuzzer is told.
inline void require(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz target: %s\n", what);
  std::abort();
}

inline std::string_view text_of(std::uint8_t const* data, std::size_t size) {
  return {reinterpret_cast<char const*>(data), size};
}

/// A name for a file of this process, removed with its owner.
class scratch_file {
 public:
  scratch_file() {
    struct ::stat memory {};
    std::string const where = ::stat("/dev/shm", &memory) == 0 ? "/dev/shm" : "/tmp";
    path_ = where + "/leasehold-fuzz-" + std::to_string(::getpid());
  }
  scratch_file(scratch_file const&) = delete;
  ~scratch_file() { ::unlink(path_.c_str()); }
  [[nodiscard]] std::string const& path() const noexcept { return path_; }

  /// A new file with this content, mode 0600.
  void write(std::string_view content) const {
    ::unlink(path_.c_str());
    int const fd = ::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    require(fd >= 0 && ::write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
            "scratch file");
    ::close(fd);
  }

 private:
  std::string path_;
};

}  // namespace leasehold::fuzz
