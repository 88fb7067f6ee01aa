// Decides how engine code suspends: a lazy coroutine with no executor. Its leaves suspend on a driver, which the root hands down
// from parent to child. A task is awaited in place, so it may take references that the awaiting frame owns.
#pragma once

#include "spi/driver.hpp"

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace leasehold::inline v0_1::spi {

template <class T>
class task;

namespace detail {

struct promise_base {
  driver* drive = nullptr;
  std::coroutine_handle<> parent{};

  struct final_awaiter {
    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) const noexcept {
      auto up = self.promise().parent;
      return up ? up : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };
  std::suspend_always initial_suspend() const noexcept { return {}; }
  final_awaiter final_suspend() const noexcept { return {}; }
  // INVARIANT: no exception crosses the SPI; the one thing that can be thrown is an allocation failure, which ends the process.
  void unhandled_exception() const noexcept { std::terminate(); }
};

template <class T>
struct promise : promise_base {
  std::optional<T> value;
  task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& v) {
    value.emplace(std::forward<U>(v));
  }
  T take() { return std::move(*value); }
};

template <>
struct promise<void> : promise_base {
  task<void> get_return_object() noexcept;
  void return_void() const noexcept {}
  void take() const noexcept {}
};

}  // namespace detail

/// Move-only owner of a suspended coroutine; destroying it destroys the frame, wherever it is suspended.
template <class T>
class [[nodiscard]] task {
 public:
  using promise_type = detail::promise<T>;
  using handle = std::coroutine_handle<promise_type>;

  explicit task(handle h) noexcept : handle_(h) {}
  task(task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  task& operator=(task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~task() {
    if (handle_) handle_.destroy();
  }

  // Awaiting: the child inherits the parent's driver and, if it suspends, resumes the parent when it ends. One that ends at once
  // does not suspend its parent, so a loop of such awaits needs no stack even where the compiler makes no tail calls.
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> parent) noexcept {
    handle_.promise().drive = parent.promise().drive;
    handle_.resume();
    if (handle_.done()) return false;
    handle_.promise().parent = parent;
    return true;
  }
  T await_resume() { return handle_.promise().take(); }

  // Rooting: a driver's owner starts the task and reads it once `done()`.
  void start(driver& on) {
    handle_.promise().drive = &on;
    handle_.resume();
  }
  [[nodiscard]] bool done() const noexcept { return handle_.done(); }
  T take() { return handle_.promise().take(); }

 private:
  handle handle_;
};

template <class T>
task<T> detail::promise<T>::get_return_object() noexcept {
  return task<T>{std::coroutine_handle<promise>::from_promise(*this)};
}
inline task<void> detail::promise<void>::get_return_object() noexcept {
  return task<void>{std::coroutine_handle<promise>::from_promise(*this)};
}

/// `co_await wait_on(request)`: suspends on the driver; says why it ended.
class wait_on {
 public:
  explicit wait_on(wait_request const& request) noexcept { node_.request = request; }
  wait_on(wait_on const&) = delete;
  ~wait_on() {
    if (drive_ != nullptr && node_.linked) drive_->forget(node_);
  }
  bool await_ready() const noexcept { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> self) {
    drive_ = self.promise().drive;
    node_.resume = self;
    drive_->wait(node_);
  }
  wake await_resume() const noexcept { return node_.why; }

 private:
  driver* drive_ = nullptr;
  wait_node node_;
};

/// `co_await this_driver()`: the driver this coroutine runs on.
struct this_driver {
  driver* drive = nullptr;
  bool await_ready() const noexcept { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> self) noexcept {
    drive = self.promise().drive;
    return false;
  }
  driver& await_resume() const noexcept { return *drive; }
};

}  // namespace leasehold::inline v0_1::spi
