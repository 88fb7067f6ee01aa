// Decides how tests run the npm emulator of Cosmos DB: installed once into build/peers, started through its own API with kept
// connections, killed at the end.
#pragma once

#include <sys/types.h>

#include <string>

namespace leasehold::test {

class node_cosmos {
 public:
  /// `certificate` and `key`: PEM files; empty: without TLS. Throws when it does not come up. REQUIRES: `missing()` is empty.
  explicit node_cosmos(std::string const& certificate = {}, std::string const& key = {});
  node_cosmos(node_cosmos const&) = delete;
  node_cosmos& operator=(node_cosmos const&) = delete;
  ~node_cosmos();

  /// Why it cannot be had here; empty: it can. Installs it if need be, which takes a while.
  [[nodiscard]] static std::string missing();
  [[nodiscard]] int port() const noexcept { return port_; }

 private:
  pid_t pid_ = 0;
  int port_ = 0;
};

}  // namespace leasehold::test
