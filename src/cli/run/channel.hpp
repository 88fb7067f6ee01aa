// Decides what front and supervisor tell each other, and how each notices the other's death (end of file).
#pragma once

#include "run/descriptor.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace leasehold::cli {

enum class word : std::uint8_t {
  // front to supervisor
  signal,  ///< `number`: forward it to the job, or stop waiting
  stop,    ///< the terminal (or somebody) wants the job stopped
  resume,  ///< go on; `number` 1: in the foreground
  silent,  ///< the job has been told to stop, because nothing was heard of the supervisor
  // supervisor to front
  started,   ///< `number`: the job's process group; told by the job itself before it executes anything
  stopped,   ///< the job has stopped by signal `number`: the front should, too
  status,    ///< `text`: for systemd
  ready,     ///< the job runs
  finished,  ///< `number`: our exit code
};

struct message {
  word what{};
  std::int32_t number = 0;
  char text[240] = {};  ///< terminated
};

class channel {
 public:
  /// Two ends. Throws `problem` (71).
  [[nodiscard]] static std::pair<channel, channel> make();

  channel() = default;
  /// False once the other side is gone, and when it has not read hundreds of messages (it is stopped): all but `finished`, which
  /// waits for it, are dropped then. Async-signal-safe.
  bool send(word what, int number = 0, std::string_view text = {}) const noexcept;
  /// Nothing: no message now. Sets `closed()` at the other side's death.
  [[nodiscard]] std::optional<message> receive() noexcept;
  [[nodiscard]] bool closed() const noexcept { return closed_; }
  [[nodiscard]] int get() const noexcept { return closed_ ? -1 : fd_.get(); }
  void reset() noexcept { fd_.reset(); }

 private:
  explicit channel(int fd) noexcept : fd_(fd) {}
  descriptor fd_;
  bool closed_ = false;
};

}  // namespace leasehold::cli
