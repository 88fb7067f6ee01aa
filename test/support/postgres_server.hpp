// Decides how tests run a PostgreSQL server of their own: in a folder that is removed afterwards, on a Unix socket, as nobody where the
// tests are root (it refuses root), killed at the end.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::test {

class postgres_server {
 public:
  /// Throws when it does not come up.
  postgres_server();
  postgres_server(postgres_server const&) = delete;
  postgres_server& operator=(postgres_server const&) = delete;
  ~postgres_server();

  [[nodiscard]] static bool is_installed();

  /// Of the database that is there from the start, or of one that the test creates.
  [[nodiscard]] std::string url(std::string_view database = "postgres") const;
  /// Its data may be lost: they are.
  void kill();

 private:
  [[nodiscard]] static pid_t start(std::vector<std::string> words, std::filesystem::path const& folder);
  void wait_until_ready() const;

  std::filesystem::path folder_;
  pid_t pid_ = 0;
};

}  // namespace leasehold::test
