#include "core/foreign_driver.hpp"

#include "model/assert.hpp"

#include <leasehold/error.hpp>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <ctime>

namespace leasehold::inline v0_1::core {
namespace {

int checked(int fd) {
  if (fd >= 0) return fd;
  throw error(std::error_code(errno, std::generic_category()),
              diagnostics("no descriptor for an asynchronous acquire", "raise the limit of open files (ulimit -n)"));
}

std::uint32_t epoll_events(short events) {
  return ((events & POLLIN) != 0 ? EPOLLIN : 0U) | ((events & POLLOUT) != 0 ? EPOLLOUT : 0U);
}

void add_readable(int epoll, int fd, std::uint32_t events) {
  epoll_event e{};
  e.events = events;
  e.data.fd = fd;
  checked(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e));
}

}  // namespace

class eventfd_waker final : public spi::waker {
 public:
  eventfd_waker() : fd_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))) {}
  ~eventfd_waker() override { ::close(fd_); }
  void wake() noexcept override {
    std::uint64_t const one = 1;
    [[maybe_unused]] auto r = ::write(fd_, &one, sizeof one);
  }
  /// True if it had been woken since the last call.
  bool take() noexcept {
    std::uint64_t count = 0;
    return ::read(fd_, &count, sizeof count) == sizeof count;
  }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  std::atomic<bool> stopped{false};

 private:
  int fd_;
};

foreign_driver::foreign_driver(std::shared_ptr<spi::environment> env)
    : env_(std::move(env)), waker_(std::make_shared<eventfd_waker>()) {
  epoll_ = checked(::epoll_create1(EPOLL_CLOEXEC));
  timer_ = ::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  add_readable(epoll_, checked(timer_), EPOLLIN);
  add_readable(epoll_, waker_->fd(), EPOLLIN);
  if (env_->is_virtual()) env_->add_sleeper(waker_);
}

foreign_driver::~foreign_driver() {
  if (env_->is_virtual()) env_->remove_sleeper(waker_.get());
  ::close(timer_);
  ::close(epoll_);
}

std::shared_ptr<spi::waker> foreign_driver::get_waker() { return waker_; }

void foreign_driver::stop() noexcept {
  waker_->stopped.store(true);
  waker_->wake();
}

void foreign_driver::wait(spi::wait_node& node) {
  LEASEHOLD_ASSERT(node_ == nullptr && !node.linked && node.request.words.empty());
  node.linked = true;
  node_ = &node;
  arm();
}

void foreign_driver::forget(spi::wait_node& node) noexcept {
  if (node_ == &node) disarm();
}

void foreign_driver::arm() {
  auto const& request = node_->request;
  if (request.fd >= 0) {
    armed_fd_ = request.fd;
    add_readable(epoll_, armed_fd_, epoll_events(request.events));
  }
  for (auto const& w : request.fds) add_readable(epoll_, w.fd, epoll_events(w.events));
  itimerspec when{};
  if (request.until != time_point::max() && !env_->is_virtual()) {
    // 0 would disarm the timer: an instant that has passed is "now", which is 1 ns after boot.
    auto const at = std::max(request.until.time_since_epoch(), duration(1));
    auto const s = std::chrono::duration_cast<std::chrono::seconds>(at);
    when.it_value = {s.count(), (at - s).count()};
  }
  ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
}

void foreign_driver::disarm() noexcept {
  if (armed_fd_ >= 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, armed_fd_, nullptr);
  armed_fd_ = -1;
  for (auto const& w : node_->request.fds) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, w.fd, nullptr);
  itimerspec const never{};
  ::timerfd_settime(timer_, 0, &never, nullptr);
  node_->linked = false;
  node_ = nullptr;
}

/// Marks those that are ready; whether there are any.
bool foreign_driver::look(std::span<spi::fd_wait> waits) {
  if (waits.empty()) return false;
  std::array<pollfd, spi::fds_max> fds;
  LEASEHOLD_ASSERT(waits.size() <= fds.size());
  for (std::size_t i = 0; i < waits.size(); ++i) fds[i] = {waits[i].fd, waits[i].events, 0};
  bool const any = ::poll(fds.data(), waits.size(), 0) > 0;
  for (std::size_t i = 0; i < waits.size(); ++i) waits[i].ready = any && fds[i].revents != 0;
  return any;
}

bool foreign_driver::ready(spi::wake& why) {
  bool const woken = waker_->take();
  if (waker_->stopped.load() && !shielded_) {
    why = spi::wake::stopped;
    return true;
  }
  if (now() >= node_->request.until) {
    why = spi::wake::timeout;
    return true;
  }
  why = spi::wake::ready;
  bool const any = look(node_->request.fds);
  if (woken || any) return true;
  if (armed_fd_ < 0) return false;
  pollfd p{armed_fd_, node_->request.events, 0};
  return ::poll(&p, 1, 0) > 0;
}

void foreign_driver::advance() {
  spi::wake why{};
  while (node_ != nullptr && ready(why)) {
    auto& node = *node_;
    disarm();
    node.why = why;
    node.resume.resume();
  }
}

}  // namespace leasehold::inline v0_1::core
