// Decides how a host's name becomes addresses without holding up whoever needs them: a helper thread asks, a descriptor tells.
#pragma once

#include <leasehold/config.hpp>

#include <sys/socket.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace leasehold::inline v0_1::redis {

struct address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};

/// One question to the system's resolver, which nothing can interrupt; it outlives those who asked and gave up.
class lookup {
 public:
  /// Numbers are read at once; a name is asked for by a thread. Who asks for what is being asked for already shares the answer, so a
  /// resolver that hangs costs one thread per name. Null: no thread or descriptor could be had.
  [[nodiscard]] static std::shared_ptr<lookup> of(std::string const& host, std::uint16_t port);
  lookup(std::string host, std::uint16_t port, int fd);
  lookup(lookup const&) = delete;
  lookup& operator=(lookup const&) = delete;
  ~lookup();

  /// Readable once it is done, and ever after.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] bool is_done() const noexcept { return done_.load(std::memory_order_acquire); }
  /// REQUIRES: done. Empty: there are none, and `why` says so.
  [[nodiscard]] std::vector<address> const& found() const noexcept { return found_; }
  [[nodiscard]] char const* why() const noexcept;

 private:
  /// INVARIANT: one whose thread was left behind in another process, by a fork, is joined by nobody.
  [[nodiscard]] bool is_under_way() const noexcept;
  void ask(int flags);
  void finish() noexcept;

  std::string const host_;
  std::uint16_t const port_;
  int const fd_;
  pid_t const asked_by_;
  std::vector<address> found_;
  int code_ = 0;
  std::atomic<bool> done_ = false;
};

}  // namespace leasehold::inline v0_1::redis
