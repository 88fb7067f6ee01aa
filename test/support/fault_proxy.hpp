// Decides what stands between a client and a Redis server in tests of faults: a relay that can pause, lose, cut and count.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace leasehold::test {

/// Listens on a Unix socket and relays to another. Thread-safe. A request is a command that is no part of a greeting; a renewal of
/// many leases counts as many.
class fault_proxy {
 public:
  fault_proxy(std::string listen_at, std::string relay_to);
  fault_proxy(fault_proxy const&) = delete;
  fault_proxy& operator=(fault_proxy const&) = delete;
  ~fault_proxy();

  [[nodiscard]] std::string const& socket() const noexcept { return listen_at_; }

  /// Nothing passes, in either direction, until `resume`; then everything does, late.
  void pause() { paused_ = true; }
  void resume() { paused_ = false; }
  /// The connection ends instead of the next `n` requests; they never arrive.
  void lose_requests(std::int64_t n) { requests_to_lose_ = n; }
  /// The next `n` requests are carried out; then the connection ends instead of their reply.
  void lose_replies(std::int64_t n) { replies_to_lose_ = n; }
  /// The connection ends once so many bytes of requests have passed; -1: never.
  void cut_after(std::int64_t bytes) { cut_after_ = bytes; }
  /// Ends all connections.
  void cut() { cut_now_ = true; }
  /// Whatever passes does so this many bytes at a time, a millisecond apart; 0: at once.
  void drip(std::size_t bytes) { drip_ = bytes; }
  /// Requests pass with every `from` replaced by `to`. REQUIRES: equal lengths; called before the first connection.
  void rewrite(std::string from, std::string to) { rewrites_.emplace_back(std::move(from), std::move(to)); }
  /// Commands that have been relayed, renewals of many counted once, greetings not at all.
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }
  [[nodiscard]] std::uint64_t connections() const noexcept { return connections_; }

 private:
  struct leg;
  void run();
  void accept_one();
  bool serve(leg& l, short client, short server);
  bool relay_up(leg& l);
  bool relay_down(leg& l);
  bool pass(leg& l, std::string_view frame);
  bool send_on(int to, std::string_view bytes) const;
  [[nodiscard]] std::string rewritten(std::string_view frame) const;

  std::string const listen_at_;
  std::string const relay_to_;
  int listener_ = -1;
  std::vector<std::unique_ptr<leg>> legs_;  // the thread's
  std::atomic<bool> paused_{false};
  std::atomic<bool> cut_now_{false};
  std::atomic<bool> ending_{false};
  std::atomic<std::int64_t> requests_to_lose_{0};
  std::atomic<std::int64_t> replies_to_lose_{0};
  std::atomic<std::int64_t> cut_after_{-1};
  std::atomic<std::size_t> drip_{0};
  std::vector<std::pair<std::string, std::string>> rewrites_;
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> connections_{0};
  std::thread thread_;
};

}  // namespace leasehold::test
