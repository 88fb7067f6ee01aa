// Decides how tests run a Redis server of their own: in a folder that is removed afterwards, on a Unix socket, killed at the end.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::test {

/// A TCP port of the loopback interface that was free a moment ago.
[[nodiscard]] int free_port();

class redis_server {
 public:
  /// `arguments` follow the defaults (no persistence, DEBUG allowed). Throws when it does not come up.
  explicit redis_server(std::vector<std::string> arguments = {});
  redis_server(redis_server const&) = delete;
  redis_server& operator=(redis_server const&) = delete;
  ~redis_server();

  [[nodiscard]] static bool is_installed();

  [[nodiscard]] std::string socket() const { return (folder_ / "s").string(); }
  [[nodiscard]] std::filesystem::path const& folder() const noexcept { return folder_; }
  /// `query`: for instance "?max_ttl=2s".
  [[nodiscard]] std::string url(std::string_view query = {}) const {
    return "redis+unix://" + socket() + std::string(query);
  }
  /// Its raw reply, as a flat text: errors with their '-', arrays item by item on lines of their own.
  std::string command(std::initializer_list<std::string_view> words) const;
  std::string command(std::vector<std::string> const& words) const;
  /// The same after AUTH.
  std::string command_as(std::string_view password, std::initializer_list<std::string_view> words) const;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  void kill();       ///< SIGKILL, and waits until it is gone
  void terminate();  ///< SIGTERM: saves, where persistence is on
  void start();      ///< REQUIRES: not running
  void pause();
  void resume();

 private:
  void stop(int signal);
  [[nodiscard]] bool answers() const;

  std::vector<std::string> arguments_;
  std::filesystem::path folder_;
  pid_t pid_ = 0;
};

}  // namespace leasehold::test
