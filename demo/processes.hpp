// Decides how worker processes are started, stopped, killed and waited for.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace demo {

/// A child process; killed with kill -9 if it still runs when this goes.
class process {
 public:
  /// Runs `arguments[0]`, looked up in PATH; it is killed if this process ends first. `directory`, if any, becomes its
  /// working directory, and `output`, if any, the file of its standard output.
  explicit process(std::vector<std::string> const& arguments, std::string const& directory = {},
                   std::string const& output = {});
  process(process&& other) noexcept;
  process& operator=(process&&) = delete;
  ~process();

  /// Sends SIGSTOP and waits until it has taken effect; false if the process has ended instead.
  bool freeze();
  void thaw() const;
  /// kill -9; waits for the end.
  void kill();
  /// Looks, without waiting, whether it has ended.
  void poll();
  void wait();

  [[nodiscard]] bool runs() const noexcept { return pid_ > 0; }
  /// Requires that it has ended: its exit code, or 128 + the signal that ended it.
  [[nodiscard]] int exit_code() const noexcept { return exit_code_; }

 private:
  /// True if it has stopped.
  bool collect(int flags);
  pid_t pid_ = -1;
  int exit_code_ = 0;
};

}  // namespace demo
