// Decides how tests run a RabbitMQ broker of their own: one per process, since it takes seconds to boot; ended with the process.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::test {

class rabbitmq_broker {
 public:
  /// The process's own, started on the first call; or the one that LEASEHOLD_TEST_AMQP_PORT names. Throws when it does not come up.
  static rabbitmq_broker& get();
  [[nodiscard]] static bool is_installed();
  /// What tests call their queues by: new with every call, so that they do not meet on the one broker.
  [[nodiscard]] static std::string new_prefix();

  rabbitmq_broker();
  rabbitmq_broker(rabbitmq_broker const&) = delete;
  rabbitmq_broker& operator=(rabbitmq_broker const&) = delete;
  ~rabbitmq_broker();

  [[nodiscard]] int port() const noexcept { return port_; }
  /// `query` without its '?'.
  [[nodiscard]] std::string url(std::string_view query) const { return url_at(port_, query); }
  [[nodiscard]] static std::string url_at(int port, std::string_view query) {
    return "amqp://127.0.0.1:" + std::to_string(port) + "/?" + std::string(query);
  }
  /// The broker's own tool; what it prints.
  std::string control(std::vector<std::string> words) const;
  [[nodiscard]] bool is_ours() const noexcept { return script_ > 0; }

  void kill();   ///< SIGKILL, and waits until it is gone
  void start();  ///< REQUIRES: not running
  void pause();
  void resume();

 private:
  [[nodiscard]] std::vector<std::string> environment() const;
  [[nodiscard]] pid_t launch(std::string const& program, std::vector<std::string> words, int signal) const;
  [[nodiscard]] pid_t beam() const;

  std::filesystem::path folder_;
  int port_ = 0;
  int distribution_port_ = 0;
  int mapper_port_ = 0;
  pid_t mapper_ = 0;
  pid_t script_ = 0;
};

/// If LEASEHOLD_TEST_SHARDS says so: runs this executable so many times at once, each with its share of the tests, on one broker; its exit
/// code. Most of these tests wait most of the time.
[[nodiscard]] std::optional<int> run_in_shards(char** argv);

}  // namespace leasehold::test
