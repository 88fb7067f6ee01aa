// Decides how an event loop of the user's own carries out a release: one descriptor to wait for, one function to call.
#pragma once

#include <leasehold/error.hpp>
#include <leasehold/lease.hpp>

#include <memory>

namespace leasehold::inline v0_1 {

/// One release, as `acquire_operation` is one acquisition. From the constructor on the lease is not held.
///
///     leasehold::release_operation op(std::move(held));
///     while (!op.advance()) wait_until_readable(op.descriptor());
///     op.take();
///
/// Not thread-safe. It ends by itself, within the op timeout for each of at most three requests, and cannot be cancelled. Destroying it
/// before the end releases on the calling thread, bounded as `lease::release`.
class LEASEHOLD_API release_operation {
 public:
  /// Throws leasehold::error, and leaves the lease alone: bad_option for an empty one, unavailable when the process is out of descriptors.
  explicit release_operation(lease&& held);
  release_operation(release_operation&&) noexcept;
  release_operation& operator=(release_operation&&) noexcept;
  ~release_operation();

  /// Does what can be done without blocking; call it first of all. True when the release has ended; then call `take`.
  [[nodiscard]] bool advance();
  /// Becomes readable when `advance` has something to do, timeouts included. The same for the life of this object, which owns it.
  [[nodiscard]] int descriptor() const noexcept;
  /// What came of it. Requires that `advance` returned true. Errors as `lease::release`.
  void take();
  void take(std::error_code& ec) noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace leasehold::inline v0_1
