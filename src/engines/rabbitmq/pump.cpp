#include "engines/rabbitmq/pump.hpp"

#include "engines/rabbitmq/seat.hpp"
#include "engines/rabbitmq/talk.hpp"
#include "model/assert.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <system_error>
#include <thread>

namespace leasehold::inline v0_1::rabbitmq {
namespace {

/// The pump's coroutines wait for the broker and for bells, never on a driver.
class no_driver final : public spi::driver {
 public:
  static no_driver& get() {
    static no_driver one;
    return one;
  }
  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
  void wait(spi::wait_node&) override { LEASEHOLD_ASSERT(false); }
  void forget(spi::wait_node&) noexcept override {}
  [[nodiscard]] bool waits_on_futex() const noexcept override { return false; }
  [[nodiscard]] std::shared_ptr<spi::waker> get_waker() override { return nullptr; }
  void shield(bool) noexcept override {}
};

}  // namespace

pump::pump(settings of)
    : settings_(std::move(of)),
      process_(::getpid()),
      bell_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      talk_(std::make_unique<talk>(*this)) {}

pump::~pump() { ::close(bell_fd_); }

bool pump::post(std::function<void()> job) {
  {
    std::lock_guard const hold(guard_);
    if (closed_) return false;
    jobs_.push_back(std::move(job));
    if (!running_) {
      sigset_t all;
      sigset_t before;
      ::sigfillset(&all);
      ::pthread_sigmask(SIG_SETMASK, &all, &before);
      try {
        std::thread([self = shared_from_this()] { self->run(); }).detach();
        running_ = true;
      } catch (std::system_error const&) {
        jobs_.pop_back();
      }
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
      if (!running_) return false;
    }
  }
  std::uint64_t const one = 1;
  static_cast<void>(!::write(bell_fd_, &one, sizeof one));
  return true;
}

void pump::close(duration at_most) noexcept {
  if (process_ != ::getpid()) return;  // a fork's copy: the thread is the parent's
  std::unique_lock hold(guard_);
  if (!closed_) close_by_ = now() + at_most;
  closed_ = true;
  if (!running_) return;
  std::uint64_t const one = 1;
  static_cast<void>(!::write(bell_fd_, &one, sizeof one));
  ended_.wait_for(hold, at_most + std::chrono::milliseconds(100), [this] { return !running_; });
}

void pump::tell_of_losses(std::function<void()> tell) {
  std::unique_lock hold(guard_);
  tell_ = std::move(tell);
  ended_.wait(hold, [this] { return !telling_; });
}

void pump::lost_one() {
  std::unique_lock hold(guard_);
  if (!tell_) return;
  auto const tell = tell_;
  telling_ = true;
  hold.unlock();
  tell();
  hold.lock();
  telling_ = false;
  ended_.notify_all();
}

void pump::run() {
  while (turn()) {
  }
  go_down(failure{make_error_code(errc::cancelled), diagnostics("the store was closed")});
  while (!ready_.empty()) {
    auto const next = ready_.front();
    ready_.pop_front();
    next.resume();
  }
  roots_.clear();
  seats_.clear();
  std::deque<std::function<void()>> dropped;
  std::lock_guard const hold(guard_);
  dropped.swap(jobs_);
  running_ = false;
  ended_.notify_all();
}

/// False: over.
bool pump::turn() {
  take_jobs();
  read_line();
  fire_alarms();
  while (!ready_.empty()) {
    auto const next = ready_.front();
    ready_.pop_front();
    next.resume();
  }
  roots_.remove_if([](auto const& t) { return t.done(); });
  if (closing_ && (roots_.empty() || now() >= close_by_)) {
    if (wire_) wire_->close(std::chrono::milliseconds(200));
    return false;
  }
  sleep();
  return true;
}

void pump::take_jobs() {
  std::deque<std::function<void()>> todo;
  {
    std::lock_guard const hold(guard_);
    todo.swap(jobs_);
    if (closed_ && !closing_) {
      closing_ = true;
      for (auto const& s : seats_) ring(s->event);
    }
  }
  for (auto const& job : todo) job();
}

void pump::spawn(spi::task<void> t) {
  roots_.push_back(std::move(t));
  roots_.back().start(no_driver::get());
}

void pump::read_line() {
  while (wire_) {
    auto got = wire_->next();
    if (!got) return go_down(got.get_failure());
    if (!*got) return;
    take(std::move(**got));
  }
}

void pump::fire_alarms() {
  while (!alarms_.empty() && alarms_.begin()->first <= now()) {
    auto* const b = alarms_.begin()->second;
    alarms_.erase(alarms_.begin());
    b->alarmed = false;
    ready_.push_back(std::exchange(b->waiting, {}));
  }
}

void pump::sleep() {
  // The kernel sleeps on a clock that stands still in suspend, and heartbeats are only sent while frames are looked for.
  auto at_most = std::chrono::milliseconds(1000);
  if (wire_)
    at_most = std::min<std::chrono::milliseconds>(
        at_most, wire_->heartbeat() / std::chrono::seconds(1) * std::chrono::milliseconds(250));
  auto until = now() + at_most;
  if (!alarms_.empty()) until = std::min(until, alarms_.begin()->first);
  if (closing_) until = std::min(until, close_by_);
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(until - now()).count();
  std::array<pollfd, 2> fds{{{bell_fd_, POLLIN, 0}, {wire_ ? wire_->fd() : -1, POLLIN, 0}}};
  ::poll(fds.data(), fds.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 1000)));
  std::uint64_t count = 0;
  if (fds[0].revents != 0) static_cast<void>(!::read(bell_fd_, &count, sizeof count));
}

void pump::ring(bell& b) {
  b.rung = true;
  if (!b.waiting) return;
  if (std::exchange(b.alarmed, false)) alarms_.erase(b.alarm);
  ready_.push_back(std::exchange(b.waiting, {}));
}

pump::bell_wait pump::wait(bell& b, time_point until) { return {*this, b, until}; }

void pump::bell_wait::await_suspend(std::coroutine_handle<> self) {
  LEASEHOLD_ASSERT(!on_.waiting);
  on_.waiting = self;
  on_.alarmed = until_ != time_point::max();
  if (on_.alarmed) on_.alarm = in_.alarms_.emplace(until_, &on_);
}

}  // namespace leasehold::inline v0_1::rabbitmq
