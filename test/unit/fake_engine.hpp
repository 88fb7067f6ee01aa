// Decides what the unit tests' own engine does: whatever the test says, by request, with time that moves when told.
#pragma once

#include "spi/backend.hpp"
#include "spi/connect.hpp"
#include "unit/moments.hpp"

#include <leasehold/store.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace leasehold::test {

/// Virtual: nothing moves it but `set` and `advance`, which wake the sleepers. Thread-safe.
class manual_time final : public spi::environment {
 public:
  [[nodiscard]] time_point now() const noexcept override {
    ++looks_;
    return now_.load();
  }
  /// How often somebody asked for the time.
  [[nodiscard]] std::uint64_t looks() const noexcept { return looks_; }
  [[nodiscard]] double jitter() noexcept override { return 0; }
  [[nodiscard]] bool is_virtual() const noexcept override { return true; }
  void add_sleeper(std::shared_ptr<spi::waker> who) override {
    std::lock_guard const hold(guard_);
    sleepers_.push_back(std::move(who));
  }
  void remove_sleeper(spi::waker const* who) noexcept override {
    std::lock_guard const hold(guard_);
    std::erase_if(sleepers_, [&](auto const& s) { return s.get() == who; });
  }
  void set(time_point to) {
    now_.store(to);
    std::lock_guard const hold(guard_);
    for (auto const& s : sleepers_) s->wake();
  }
  void advance(duration by) { set(now() + by); }
  [[nodiscard]] std::size_t sleepers() const {
    std::lock_guard const hold(guard_);
    return sleepers_.size();
  }

 private:
  std::atomic<time_point> now_{origin};
  mutable std::atomic<std::uint64_t> looks_{0};
  mutable std::mutex guard_;
  std::vector<std::shared_ptr<spi::waker>> sleepers_;
};

/// Tasks wait here until it is opened. Thread-safe.
class gate {
 public:
  /// False: stopped.
  spi::task<bool> pass() {
    auto& drive = co_await spi::this_driver();
    ++arrived_;
    arrived_.notify_all();
    while (!knock(drive.get_waker())) {
      if (co_await spi::wait_on(spi::wait_request()) == spi::wake::stopped) co_return false;
    }
    co_return true;
  }
  void open() {
    std::lock_guard const hold(guard_);
    open_ = true;
    for (auto const& w : waiting_) w->wake();
  }
  void shut() {
    std::lock_guard const hold(guard_);
    open_ = false;
  }
  /// Returns when `n` tasks have come here in all.
  void await_arrivals(std::uint32_t n) const {
    for (auto seen = arrived_.load(); seen < n; seen = arrived_.load()) arrived_.wait(seen);
  }

 private:
  bool knock(std::shared_ptr<spi::waker> who) {
    std::lock_guard const hold(guard_);
    if (!open_) waiting_.push_back(std::move(who));
    return open_;
  }

  std::mutex guard_;
  bool open_ = false;
  std::vector<std::shared_ptr<spi::waker>> waiting_;
  std::atomic<std::uint32_t> arrived_{0};
};

/// What the engine answers; by default it grants everything.
struct fake_script {
  std::function<spi::task<result<spi::answer>>(bool once)> attempt;
  std::function<spi::task<result<duration>>(std::string const& name)> renew;
  std::function<spi::task<result<void>>(duration hold_off)> withdraw;
  bool at_once = false;  ///< the `_now` forms answer, always with success
  std::atomic<int> attempts{0};
  std::atomic<int> renewals{0};
  std::atomic<int> withdrawals{0};
  std::atomic<std::uint64_t> tokens{0};
  std::atomic<bool> closed{false};
};

class fake_claim final : public spi::claim {
 public:
  fake_claim(std::shared_ptr<fake_script> s, spi::claim_spec const& spec)
      : script_(std::move(s)), name_(spec.name), ttl_(spec.ttl) {}
  spi::task<result<spi::answer>> attempt() override { return ask(false); }
  spi::task<result<spi::answer>> attempt_once() override { return ask(true); }
  spi::task<result<duration>> renew() override {
    ++script_->renewals;
    if (script_->renew) co_return co_await script_->renew(name_);
    co_return ttl_.value_or(duration::zero());
  }
  spi::task<result<void>> withdraw(duration hold_off) override {
    ++script_->withdrawals;
    if (script_->withdraw) co_return co_await script_->withdraw(hold_off);
    co_return result<void>();
  }
  std::optional<result<spi::answer>> attempt_now() override {
    return now(script_->attempts, result<spi::answer>(grant_if(script_->at_once)));
  }
  std::optional<result<spi::answer>> attempt_once_now() override { return attempt_now(); }
  std::optional<result<duration>> renew_now() override {
    return now(script_->renewals, result<duration>(ttl_.value_or(duration::zero())));
  }
  std::optional<result<void>> withdraw_now(duration) override { return now(script_->withdrawals, result<void>()); }

 private:
  spi::task<result<spi::answer>> ask(bool once) {
    ++script_->attempts;
    if (script_->attempt) co_return co_await script_->attempt(once);
    co_return result<spi::answer>(grant_if(true));
  }
  spi::granted grant_if(bool yes) { return {ttl_, yes ? std::optional(++script_->tokens) : std::nullopt}; }
  template <class T>
  std::optional<T> now(std::atomic<int>& count, T answer) {
    if (!script_->at_once) return std::nullopt;
    ++count;
    return answer;
  }

  std::shared_ptr<fake_script> script_;
  std::string name_;
  std::optional<duration> ttl_;
};

class fake_backend final : public spi::backend {
 public:
  explicit fake_backend(leasehold::traits const& t, std::shared_ptr<fake_script> s)
      : traits_(t), script_(std::move(s)) {}
  [[nodiscard]] leasehold::traits const& traits() const noexcept override { return traits_; }
  std::unique_ptr<spi::claim> make_claim(spi::claim_spec const& spec) override {
    return std::make_unique<fake_claim>(script_, spec);
  }
  spi::task<result<lock_info>> inspect(std::string_view name) override {
    lock_info info;
    info.name = name;
    co_return info;
  }
  spi::task<result<std::vector<lock_info>>> list(std::string_view) override { co_return std::vector<lock_info>(); }
  spi::task<result<void>> evict(std::string_view, std::uint64_t, evict_options const&) override {
    co_return result<void>();
  }
  void close() noexcept override { script_->closed = true; }

 private:
  leasehold::traits traits_;
  std::shared_ptr<fake_script> script_;
};

/// An engine that can do everything, with no TTL by default.
[[nodiscard]] inline leasehold::traits able_traits() {
  leasehold::traits t;
  t.engine = "fake";
  t.exclusion = exclusion::exact;
  t.exclusion_with_ttl = exclusion::timed;
  t.fencing = fencing::always;
  t.waiting = waiting::fifo;
  t.shared = t.semaphore = true;
  t.ttl_min = 10ms;
  t.ttl_max = 24h;
  t.metadata_bytes_max = 64;
  return t;
}

/// A store on a fake engine.
struct fake_engine {
  explicit fake_engine(leasehold::traits const& t = able_traits(), open_options const& options = {})
      : locks(spi::connect({std::make_shared<fake_backend>(t, script), time, "fake:"}, options).value()) {}

  std::shared_ptr<manual_time> time = std::make_shared<manual_time>();
  std::shared_ptr<fake_script> script = std::make_shared<fake_script>();
  store locks;
};

}  // namespace leasehold::test
