#include "core/poll_set.hpp"

#include "core/fork_epoch.hpp"

#include <leasehold/error.hpp>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <vector>

namespace leasehold::inline v0_1::core {
namespace {

/// More than so many idle ones are not worth their descriptors.
constexpr std::size_t idle_max = 32;

struct idle_sets {
  std::mutex guard;
  std::vector<std::unique_ptr<poll_set>> all;
};

idle_sets& idle() {
  static auto* const sets = new idle_sets;  // never destroyed: an operation may end while the process does
  return *sets;
}

int checked(int fd) {
  if (fd >= 0) return fd;
  throw error(std::error_code(errno, std::generic_category()),
              diagnostics("no descriptor for an asynchronous operation", "raise the limit of open files (ulimit -n)"));
}

std::uint32_t epoll_events(short events) {
  return ((events & POLLIN) != 0 ? EPOLLIN : 0U) | ((events & POLLOUT) != 0 ? EPOLLOUT : 0U);
}

}  // namespace

eventfd_waker::eventfd_waker() : fd_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {}
eventfd_waker::~eventfd_waker() { ::close(fd_); }

void eventfd_waker::wake() noexcept {
  std::uint64_t const one = 1;
  [[maybe_unused]] auto r = ::write(fd_, &one, sizeof one);
  written_.store(true);  // after it: whoever is woken by the descriptor looks until this is seen
}

bool eventfd_waker::take() noexcept {
  if (!written_.exchange(false)) return false;
  std::uint64_t count = 0;
  [[maybe_unused]] auto r = ::read(fd_, &count, sizeof count);  // nothing there: the last call has read this one, too
  return true;
}

poll_set::poll_set() : waker_(std::make_shared<eventfd_waker>()), fork_epoch_(core::fork_epoch()) {
  epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC));
  timer_ = ::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  try {
    add(checked(timer_), POLLIN);
    add(waker_->fd(), POLLIN);
  } catch (...) {
    ::close(timer_);
    ::close(epoll_);
    throw;
  }
}

poll_set::~poll_set() {
  ::close(timer_);
  ::close(epoll_);
}

poll_set::borrowed poll_set::borrow() {
  auto& sets = idle();
  std::unique_lock hold(sets.guard);
  while (!sets.all.empty()) {
    auto one = std::move(sets.all.back());
    sets.all.pop_back();
    // INVARIANT: a child's descriptors of its parent's sets are the parent's sets: it closes them and touches them not.
    if (one->fork_epoch_ == core::fork_epoch()) return borrowed(one.release());
  }
  hold.unlock();
  return borrowed(new poll_set);
}

void poll_set::give_back::operator()(poll_set* which) const noexcept {
  std::unique_ptr<poll_set> done(which);
  // INVARIANT: nobody else has the waker, so no wake-up that was meant for this borrower reaches the next.
  if (done->waker_.use_count() > 1 || done->fork_epoch_ != core::fork_epoch()) return;
  done->waker_->take();
  done->waker_->stopped.store(false);
  auto& sets = idle();
  std::lock_guard const hold(sets.guard);
  if (sets.all.size() >= idle_max) return;
  try {
    sets.all.push_back(std::move(done));
  } catch (...) {
    return;  // out of memory: it is closed
  }
}

void poll_set::add(int fd, short events) {
  epoll_event e{};
  e.events = epoll_events(events);
  e.data.fd = fd;
  checked(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &e));
}

void poll_set::remove(int fd) noexcept { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

void poll_set::ring_by(time_point when) noexcept {
  if (when == time_point::max() && rings_at_ == time_point::max()) return;
  if (rings_at_ <= when && rings_at_ > clock::now()) return;
  itimerspec at{};
  if (when != time_point::max()) {
    // 0 would disarm the timer: an instant that has passed is "now", which is 1 ns after boot.
    auto const since_boot = std::max(when.time_since_epoch(), duration(1));
    auto const s = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
    at.it_value = {s.count(), (since_boot - s).count()};
  }
  ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &at, nullptr);
  rings_at_ = when;
}

}  // namespace leasehold::inline v0_1::core
