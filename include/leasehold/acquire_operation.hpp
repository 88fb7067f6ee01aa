// Decides how an event loop of the user's own carries out an acquisition: one descriptor to wait for, one function to call.
#pragma once

#include <leasehold/error.hpp>
#include <leasehold/lease.hpp>
#include <leasehold/options.hpp>
#include <leasehold/store.hpp>

#include <memory>
#include <string_view>

namespace leasehold::inline v0_1 {

/// One acquisition for poll, epoll, libuv, Asio, …; <leasehold/asio.hpp> is built on it.
///
///     leasehold::acquire_operation op(locks, "invoice/42");
///     while (!op.advance()) wait_until_readable(op.descriptor());
///     leasehold::lease held = op.take();
///
/// Not thread-safe. Destroying it before the end withdraws, on the calling thread, bounded by the op timeout; nothing is left
/// waiting or held. Views in the options are copied by the constructor.
class LEASEHOLD_API acquire_operation {
 public:
  acquire_operation(store const& where, std::string_view name, acquire_options const& options = {});
  acquire_operation(acquire_operation&&) noexcept;
  acquire_operation& operator=(acquire_operation&&) noexcept;
  ~acquire_operation();

  /// Does what can be done without blocking; call it first of all. Requests of operations that were begun one after the other leave
  /// together with the first such call. True when the acquisition has ended; then call `take`.
  [[nodiscard]] bool advance();
  /// Becomes readable when `advance` has something to do, timeouts included. The same for the life of this object, which owns it.
  [[nodiscard]] int descriptor() const noexcept;
  /// Asks for the end; `advance` goes on until the place in line is given up, then `take` says errc::cancelled, unless the grant
  /// came first. May be called from any thread.
  void cancel() noexcept;
  /// The lease, once. Requires that `advance` returned true. Errors as `store::acquire`.
  [[nodiscard]] lease take();
  [[nodiscard]] lease take(std::error_code& ec, diagnostics* details = nullptr);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace leasehold::inline v0_1
