// Decides how an acquisition, and a release, becomes an Asio operation: any completion token, per-operation cancellation, the user's own Asio.
//
// Compiled with Boost.Asio (1.81 or newer), or with standalone Asio when LEASEHOLD_ASIO_STANDALONE is defined. Nothing of Asio is
// inside the library itself.
#pragma once

#include <leasehold/acquire_operation.hpp>
#include <leasehold/release_operation.hpp>

#if defined(LEASEHOLD_ASIO_STANDALONE)
#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_state.hpp>
#include <asio/compose.hpp>
#include <asio/error.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#else
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#endif

#include <fcntl.h>

#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace leasehold::inline v0_1 {

namespace asio_bridge {

#if defined(LEASEHOLD_ASIO_STANDALONE)
namespace net = ::asio;
using error_code = std::error_code;
#else
namespace net = ::boost::asio;
using error_code = ::boost::system::error_code;
#endif

using acquired = void(error_code, lease);
using released = void(error_code);

/// The intermediate handler of net::async_compose: waits for the operation's descriptor until the operation has ended.
template <class Operation, class Executor>
class step {
 public:
  step(Executor const& executor, Operation operation)
      : operation_(std::make_unique<Operation>(std::move(operation))),
        // The descriptor object closes what it is given; the operation's own stays the operation's.
        ready_(std::make_unique<net::posix::basic_stream_descriptor<Executor>>(
            executor, ::fcntl(operation_->descriptor(), F_DUPFD_CLOEXEC, 0))) {}

  template <class Self>
  void operator()(Self& self, error_code = {}) {
    if (!started_) {
      started_ = true;
      if constexpr (can_be_cancelled) self.reset_cancellation_state(net::enable_total_cancellation());
      // A handler never runs inside its initiation.
      auto const executor = ready_->get_executor();
      net::post(executor, std::move(self));
      return;
    }
    if constexpr (can_be_cancelled) {
      if (self.cancelled() != net::cancellation_type::none) {
        was_cancelled_ = true;
        operation_->cancel();
      }
    }
    if (!operation_->advance()) {
      auto& ready = *ready_;
      ready.async_wait(net::posix::descriptor_base::wait_read, std::move(self));
      return;
    }
    finish(self);
  }

 private:
  static constexpr bool can_be_cancelled = std::is_same_v<Operation, acquire_operation>;

  template <class Self>
  void finish(Self& self) {
    std::error_code why;
    if constexpr (can_be_cancelled) {
      lease held = operation_->take(why);
      end();
      bool const aborted = why == errc::cancelled && was_cancelled_;
      self.complete(aborted ? error_code(net::error::operation_aborted) : error_code(why), std::move(held));
    } else {
      operation_->take(why);
      end();
      self.complete(error_code(why));
    }
  }
  void end() {
    ready_.reset();
    operation_.reset();
  }

  std::unique_ptr<Operation> operation_;
  std::unique_ptr<net::posix::basic_stream_descriptor<Executor>> ready_;
  bool started_ = false;
  bool was_cancelled_ = false;
};

template <class Signature, class CompletionToken, class Operation>
auto initiate(CompletionToken& token, Operation operation) {
  return net::async_initiate<CompletionToken, Signature>(
      [](auto handler, Operation moved) {
        auto const executor = net::get_associated_executor(handler);
        using executor_type = std::remove_const_t<decltype(executor)>;
        net::async_compose<decltype(handler), Signature>(step<Operation, executor_type>(executor, std::move(moved)),
                                                         handler, executor);
      },
      token, std::move(operation));
}

}  // namespace asio_bridge

/// `store::acquire` as an asynchronous operation. Runs and completes on the token's associated executor (that of the coroutine
/// for `use_awaitable`; Asio's system executor if there is none) with (error_code, lease); never inside this call. Errors as
/// `store::acquire`.
///
/// Views are copied before it returns. Cancellation: total, partial and terminal; the place in line is given up, then it
/// completes with `operation_aborted`, unless the grant came first. An abandoned operation (its context destroyed) withdraws.
/// Throws leasehold::error at once for an empty store, or when the process is out of descriptors.
template <class CompletionToken>
auto async_acquire(store const& where, std::string_view name, acquire_options const& options, CompletionToken&& token) {
  return asio_bridge::initiate<asio_bridge::acquired>(token, acquire_operation(where, name, options));
}

/// `lease::release` as an asynchronous operation, with the same errors; from this call on the lease is not held. Runs and completes as
/// `async_acquire`, with (error_code). It cannot be cancelled; it ends by itself within the op timeout for each of at most three
/// requests. An abandoned operation (its context destroyed) releases on that thread. Throws leasehold::error at once, and leaves the
/// lease alone, for an empty lease, or when the process is out of descriptors.
template <class CompletionToken>
auto async_release(lease&& held, CompletionToken&& token) {
  return asio_bridge::initiate<asio_bridge::released>(token, release_operation(std::move(held)));
}

}  // namespace leasehold::inline v0_1
