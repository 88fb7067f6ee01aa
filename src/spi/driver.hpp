// Decides what a suspended leaf may wait for, and who waits on its behalf.
#pragma once

#include <leasehold/clock.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace leasehold::inline v0_1::spi {

/// Why a wait ended. `ready` may be spurious.
enum class wake { ready, timeout, stopped };

/// Wait while `*word == expected`. `shared`: the word lies in memory shared between processes.
struct futex_wait {
  std::atomic<std::uint32_t>* word = nullptr;
  std::uint32_t expected = 0;
  bool shared = true;
};

/// One of several descriptors; the driver says which are ready when the wait ends.
struct fd_wait {
  int fd = -1;
  short events = 0;
  bool ready = false;
};

/// Whichever comes first ends the wait. At most one of `fd`, `fds` and `words`; with none, the driver's waker or `until`.
struct wait_request {
  int fd = -1;
  short events = 0;                      ///< POLLIN, POLLOUT
  std::span<fd_wait> fds{};              ///< lives until the wait ends; at most `fds_max`
  std::span<futex_wait const> words{};   ///< only where `driver::waits_on_futex()`; lives until the wait ends
  time_point until = time_point::max();  ///< on the driver's clock
};

inline constexpr std::size_t fds_max = 18;

struct wait_node {
  wait_request request;
  std::coroutine_handle<> resume;
  wake why = wake::ready;
  bool linked = false;  ///< owned by the driver
};

/// Makes the waits of one driver end with `ready`, from any thread or signal-free context; may outlive the driver.
class waker {
 public:
  waker() = default;
  waker(waker const&) = delete;
  waker& operator=(waker const&) = delete;
  virtual ~waker() = default;
  virtual void wake() noexcept = 0;
};

/// blocking: polls on the caller's thread. foreign: exports what it waits for to somebody else's event loop. sim: virtual time.
class driver {
 public:
  driver() = default;
  driver(driver const&) = delete;
  driver& operator=(driver const&) = delete;
  virtual ~driver() = default;

  [[nodiscard]] virtual time_point now() const noexcept = 0;
  /// Takes the node until it resumes it or `forget`s it. Never resumes within the call.
  virtual void wait(wait_node& node) = 0;
  virtual void forget(wait_node& node) noexcept = 0;
  /// False where only descriptors can be waited for: an engine then has its own thread call `get_waker()->wake()`.
  [[nodiscard]] virtual bool waits_on_futex() const noexcept = 0;
  [[nodiscard]] virtual std::shared_ptr<waker> get_waker() = 0;
  /// Cleanup after a stop runs on the same driver: waits begun while this is set are not ended by the stop.
  virtual void shield(bool on) noexcept = 0;
};

}  // namespace leasehold::inline v0_1::spi
