// Decides where the benchmarks redis/* run: a server of their own on a TCP port of this machine, which holds nothing and knows it.
#pragma once

#include "processes.hpp"
#include "support/redis_server.hpp"

#include <memory>

namespace bench {

class redis_room {
 public:
  /// Throws `skipped` where no server is installed.
  redis_room();

  [[nodiscard]] std::string url() const { return "redis://" + address(); }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// The same server, a shorter way.
  [[nodiscard]] std::string unix_url() const { return server_->url(); }
  [[nodiscard]] std::string socket() const { return server_->socket(); }

 private:
  int port_;
  std::unique_ptr<leasehold::test::redis_server> server_;
};

}  // namespace bench
