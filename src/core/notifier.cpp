#include "core/notifier.hpp"

#include "model/deadline.hpp"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>

namespace leasehold::inline v0_1::core {
namespace {

constexpr std::size_t queued_max = 1024;

}  // namespace

struct audience::state {
  std::mutex guard;
  std::vector<std::weak_ptr<observer>> members;  // guarded
  std::atomic<bool> any{false};
  std::atomic<std::uint64_t> dropped{0};
  std::atomic<std::size_t> queued{0};

  std::vector<std::shared_ptr<observer>> present() {
    std::lock_guard hold(guard);
    std::erase_if(members, [](auto const& m) { return m.expired(); });
    std::vector<std::shared_ptr<observer>> out;
    for (auto const& m : members) {
      if (auto who = m.lock()) out.push_back(std::move(who));
    }
    return out;
  }
};

namespace {

struct notice {
  std::shared_ptr<audience::state> to;  // null: a loss
  event what;
  std::stop_source lost{std::nostopstate};
};

/// A thread each: an observer that blocks does not hold up the news of a loss.
enum class lane { events, losses };

/// INVARIANT: never destroyed: user code may still run while static objects are being destroyed, and a forked child starts with a
/// fresh one because the parent's thread is not there.
class notifier {
 public:
  static notifier& get(lane which) {
    static constinit std::array<std::atomic<notifier*>, 2> all{};
    auto& current = all[static_cast<std::size_t>(which)];
    notifier* mine = current.load();
    if (mine != nullptr && mine->pid_ == ::getpid()) return *mine;
    auto* fresh = new notifier;
    while (!current.compare_exchange_weak(mine, fresh)) {
      if (mine != nullptr && mine->pid_ == ::getpid()) {
        delete fresh;
        return *mine;
      }
    }
    return *fresh;
  }

  void post(notice n) {
    std::lock_guard hold(guard_);
    queue_.push_back(std::move(n));
    if (!running_) start();
    wake_.notify_one();
  }

  bool is_this_thread() {
    std::lock_guard hold(guard_);
    return std::this_thread::get_id() == thread_;
  }

  void flush(duration at_most) {
    std::unique_lock hold(guard_);
    auto const target = taken_ + queue_.size();
    done_.wait_for(hold, at_most, [&] { return delivered_ >= target; });
  }

 private:
  notifier() = default;
  ~notifier() = default;

  void start() {  // under guard_
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread worker([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    thread_ = worker.get_id();
    worker.detach();
    running_ = true;
  }

  void run() {
    std::unique_lock hold(guard_);
    for (;;) {
      wake_.wait(hold, [this] { return !queue_.empty(); });
      auto next = std::move(queue_.front());
      queue_.pop_front();
      ++taken_;
      hold.unlock();
      deliver(next);
      next = notice{};
      hold.lock();
      ++delivered_;
      done_.notify_all();
    }
  }

  static void deliver(notice& n) noexcept {
    if (n.to == nullptr) {
      n.lost.request_stop();
      return;
    }
    n.to->queued.fetch_sub(1);
    for (auto const& who : n.to->present()) {
      try {
        who->on_event(n.what);
      } catch (...) {
        n.to->dropped.fetch_add(1);
      }
    }
  }

  pid_t const pid_ = ::getpid();
  std::mutex guard_;
  std::condition_variable wake_;
  std::condition_variable done_;
  std::deque<notice> queue_;
  std::uint64_t taken_ = 0;
  std::uint64_t delivered_ = 0;
  bool running_ = false;
  std::thread::id thread_;
};

}  // namespace

audience::audience() : state_(std::make_shared<state>()) {}
audience::~audience() = default;

void audience::add(std::weak_ptr<observer> who) {
  std::lock_guard hold(state_->guard);
  state_->members.push_back(std::move(who));
  state_->any.store(true, std::memory_order_relaxed);
}

bool audience::empty() const noexcept { return !state_->any.load(std::memory_order_relaxed); }
std::uint64_t audience::dropped() const noexcept { return state_->dropped.load(); }

void audience::tell(event what) noexcept {
  if (empty()) return;
  try {
    if (state_->queued.fetch_add(1) >= queued_max) {
      state_->queued.fetch_sub(1);
      state_->dropped.fetch_add(1);
      return;
    }
    notifier::get(lane::events).post({state_, std::move(what), std::stop_source{std::nostopstate}});
  } catch (...) {
    state_->dropped.fetch_add(1);
  }
}

void announce_loss(std::stop_source source) noexcept {
  notifier::get(lane::losses).post({nullptr, {}, std::move(source)});
}

void flush_notices(duration at_most) noexcept {
  auto& losses = notifier::get(lane::losses);
  auto& events = notifier::get(lane::events);
  if (losses.is_this_thread() || events.is_this_thread()) return;
  auto const until = model::after(clock::now(), at_most);
  losses.flush(at_most);
  events.flush(std::max(until - clock::now(), duration::zero()));
}

}  // namespace leasehold::inline v0_1::core
