#include "core/blocking_driver.hpp"

#include "core/fork_epoch.hpp"
#include "core/futex.hpp"
#include "model/assert.hpp"
#include "model/deadline.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace leasehold::inline v0_1::core {

/// A word to sleep on and, only while a descriptor is waited for, an eventfd beside it.
class thread_waker final : public spi::waker {
 public:
  ~thread_waker() override {
    if (fd_.load() >= 0) ::close(fd_.load());
  }
  void wake() noexcept override {
    word_.fetch_add(1);
    futex_wake_all(word_, false);
    std::uint64_t const one = 1;
    if (int const fd = fd_.load(); fd >= 0) [[maybe_unused]]
      auto r = ::write(fd, &one, sizeof one);
  }
  [[nodiscard]] std::uint32_t seen() const noexcept { return word_.load(); }
  std::atomic<std::uint32_t>& word() noexcept { return word_; }
  int fd() noexcept {
    if (fd_.load() < 0) fd_.store(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    return fd_.load();
  }
  void drain() noexcept {
    std::uint64_t count = 0;
    if (fd_.load() >= 0) [[maybe_unused]]
      auto r = ::read(fd_.load(), &count, sizeof count);
  }

  /// The calling thread's own, with its descriptor, if nobody refers to it any more: no late wake-up of an earlier wait reaches this one.
  static std::shared_ptr<thread_waker> take() {
    auto mine = is_gone ? nullptr : std::exchange(spare.one, nullptr);
    // A forked child's would share the descriptor with the parent's.
    if (!mine || mine.use_count() != 1 || mine->epoch_ != fork_epoch()) return std::make_shared<thread_waker>();
    std::atomic_thread_fence(std::memory_order_acquire);  // with the release of whoever let go of it last
    if (mine->seen() != mine->fresh_) mine->drain();
    mine->fresh_ = mine->seen();
    return mine;
  }
  static void give_back(std::shared_ptr<thread_waker> one) noexcept {
    if (!is_gone && one.use_count() == 1) spare.one = std::move(one);
  }

 private:
  /// Drivers are needed after the thread's own objects are gone, too: leases may live in static ones.
  struct place {
    std::shared_ptr<thread_waker> one;
    ~place() { is_gone = true; }
  };
  static thread_local bool is_gone;
  static thread_local place spare;

  std::atomic<std::uint32_t> word_{0};
  std::atomic<int> fd_{-1};
  std::uint32_t fresh_ = 0;  ///< the word when it was last taken; no call has come while it is this
  std::uint32_t const epoch_ = fork_epoch();
};

thread_local bool thread_waker::is_gone = false;
thread_local thread_waker::place thread_waker::spare;

void blocking_driver::on_stop::operator()() const noexcept { self->waker_->wake(); }

blocking_driver::blocking_driver(spi::environment& env, std::stop_token stop)
    : env_(env), stop_(std::move(stop)), waker_(thread_waker::take()) {
  seen_ = waker_->seen();
  if (env_.is_virtual()) env_.add_sleeper(waker_);
  if (stop_.stop_possible()) on_stop_.emplace(stop_, on_stop{this});
}

blocking_driver::~blocking_driver() {
  on_stop_.reset();
  if (env_.is_virtual()) env_.remove_sleeper(waker_.get());
  thread_waker::give_back(std::move(waker_));
}

std::shared_ptr<spi::waker> blocking_driver::get_waker() { return waker_; }

void blocking_driver::wait(spi::wait_node& node) {
  LEASEHOLD_ASSERT(node_ == nullptr && !node.linked);
  node.linked = true;
  node_ = &node;
}

void blocking_driver::forget(spi::wait_node& node) noexcept {
  if (node_ == &node) node_ = nullptr;
  node.linked = false;
}

void blocking_driver::step(time_point until) {
  LEASEHOLD_ASSERT(node_ != nullptr);
  auto& node = *node_;
  auto const now = env_.now();
  if (stopped()) {
    node.why = spi::wake::stopped;
  } else if (now >= node.request.until) {
    node.why = spi::wake::timeout;
  } else {
    // The kernel sleeps on MONOTONIC, which stands still in suspend: never for longer than this without a look at our clock.
    constexpr duration sleep_max = std::chrono::seconds(1);
    auto const end = std::min(node.request.until, until);
    auto const left = end - now > sleep_max || env_.is_virtual() ? sleep_max : end - now;
    if (!block(node.request, left)) return;
    node.why = stopped() ? spi::wake::stopped : spi::wake::ready;
  }
  node_ = nullptr;
  node.linked = false;
  seen_ = waker_->seen();
  node.resume.resume();
}

namespace {

timespec timespec_of(duration d) {
  auto const s = std::chrono::duration_cast<std::chrono::seconds>(d);
  return {s.count(), (d - s).count()};
}

}  // namespace

bool blocking_driver::block_on_many(std::span<spi::fd_wait> waits, duration at_most) {
  std::array<pollfd, spi::fds_max + 1> fds;
  LEASEHOLD_ASSERT(waits.size() <= spi::fds_max);
  std::size_t n = 0;
  for (auto const& w : waits) fds[n++] = {w.fd, w.events, 0};
  fds[n++] = {waker_->fd(), POLLIN, 0};
  if (waker_->seen() != seen_) return true;
  auto const timeout = timespec_of(at_most);
  int const ready = ::ppoll(fds.data(), n, &timeout, nullptr);
  for (std::size_t i = 0; i < waits.size(); ++i) waits[i].ready = ready > 0 && fds[i].revents != 0;
  if (ready > 0 && fds[n - 1].revents != 0) waker_->drain();
  return ready > 0;
}

/// True when something other than time ended the sleep.
bool blocking_driver::block(spi::wait_request const& request, duration at_most) {
  if (!request.fds.empty()) return block_on_many(request.fds, at_most);
  if (request.fd >= 0) {
    std::array<pollfd, 2> fds{{{request.fd, request.events, 0}, {waker_->fd(), POLLIN, 0}}};
    if (waker_->seen() != seen_) {
      waker_->drain();
      return true;
    }
    auto const s = std::chrono::duration_cast<std::chrono::seconds>(at_most);
    timespec const timeout{s.count(), (at_most - s).count()};
    int const n = ::ppoll(fds.data(), fds.size(), &timeout, nullptr);
    if ((fds[1].revents & POLLIN) != 0) waker_->drain();
    return n > 0;
  }
  constexpr std::size_t own_words_max = 7;
  std::array<spi::futex_wait, own_words_max + 1> words;
  LEASEHOLD_ASSERT(request.words.size() <= own_words_max);
  auto end = std::copy(request.words.begin(), request.words.end(), words.begin());
  *end++ = {&waker_->word(), seen_, false};
  auto const all = std::span(words.data(), static_cast<std::size_t>(end - words.begin()));
  futex_wait_any(all, at_most);
  return std::any_of(all.begin(), all.end(), [](auto const& w) { return w.word->load() != w.expected; });
}

}  // namespace leasehold::inline v0_1::core
