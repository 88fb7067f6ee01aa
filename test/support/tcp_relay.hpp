// Decides what stands between a client and a broker in tests of faults: a relay that can fall silent, lose and cut.
#pragma once

#include <cstdint>
#include <memory>

namespace leasehold::test {

/// A TCP relay that can fall silent and cut. Thread-safe.
class tcp_relay {
 public:
  explicit tcp_relay(int to_port);
  tcp_relay(tcp_relay const&) = delete;
  tcp_relay& operator=(tcp_relay const&) = delete;
  ~tcp_relay();

  [[nodiscard]] int port() const noexcept;
  void pause();  ///< nothing passes, in either direction, until `resume`; then everything does, late
  void resume();
  void cut();                          ///< ends all connections
  void cut_after(std::int64_t bytes);  ///< of the client's; -1: never
  void drop_replies();                 ///< what the broker says is lost from now on, until `cut`
  [[nodiscard]] std::uint64_t connections() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> it_;
};

}  // namespace leasehold::test
