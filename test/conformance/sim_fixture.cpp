// Decides how the suite drives the simulated engine: real threads over a network in virtual time. Every verb suspends, as with a
// remote engine, so that core's paths for those are tested too.
#include "conformance/registry.hpp"
#include "conformance/thread_party.hpp"
#include "sim/client.hpp"
#include "spi/connect.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace leasehold::conformance {
namespace {

class shared_clock final : public spi::environment {
 public:
  explicit shared_clock(sim::world& of) : world_(of) {}
  [[nodiscard]] time_point now() const noexcept override { return world_.now(); }
  [[nodiscard]] double jitter() noexcept override { return 0; }
  [[nodiscard]] bool is_virtual() const noexcept override { return true; }
  void add_sleeper(std::shared_ptr<spi::waker> who) override {
    std::lock_guard const hold(world_.guard());
    sleepers_.push_back(std::move(who));
  }
  void remove_sleeper(spi::waker const* who) noexcept override {
    std::lock_guard const hold(world_.guard());
    std::erase_if(sleepers_, [&](auto const& s) { return s.get() == who; });
  }
  /// REQUIRES: the world's lock.
  [[nodiscard]] std::vector<std::shared_ptr<spi::waker>> const& sleepers() const noexcept { return sleepers_; }

 private:
  sim::world& world_;
  std::vector<std::shared_ptr<spi::waker>> sleepers_;
};

/// Lets time pass by itself only while a message is on its way or awaited; waiting in line takes an `advance`.
class pump final : public sim::pacemaker {
 public:
  pump(sim::world& of, shared_clock& clock) : world_(of), clock_(clock), thread_([this] { run(); }) {}
  ~pump() override {
    {
      std::lock_guard const hold(world_.guard());
      stopping_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }

  void call_begins(std::shared_ptr<sim::call_base> const& c, time_point patience_ends) override {
    ++outstanding_;
    changed_.notify_all();
    world_.post(patience_ends, [this, c] {
      if (!c->outstanding) return;
      call_ends(*c);
      c->waker->wake();
    });
  }
  void call_ends(sim::call_base& c) override {
    if (std::exchange(c.outstanding, false)) --outstanding_;
  }
  void message_begins() override {
    ++in_flight_;
    changed_.notify_all();
  }
  void message_ends() override { --in_flight_; }
  std::shared_ptr<spi::waker> rest_begins(std::shared_ptr<spi::waker> w, time_point until) override {
    resting_[w.get()] = ++rests_;
    changed_.notify_all();
    auto called = std::make_shared<rest>(*this, std::move(w), rests_);
    if (until != time_point::max()) world_.post(until, [called] { called->wake(); });
    return called;
  }
  void rest_ends(spi::waker const& w) override { resting_.erase(&w); }

  /// Until every thread that is in a call sleeps in line; gives up after a second of real time.
  void await_rest() {
    std::unique_lock hold(world_.guard());
    auto const give_up = clock::now() + std::chrono::seconds(1);
    auto const resting = [this] {
      return std::ranges::all_of(clock_.sleepers(), [this](auto const& s) { return resting_.contains(s.get()); });
    };
    while (!resting() && clock::now() < give_up) changed_.wait_for(hold, std::chrono::milliseconds(1));
  }

 private:
  class rest final : public spi::waker {
   public:
    rest(pump& in, std::shared_ptr<spi::waker> to, std::uint64_t id) : in_(in), to_(std::move(to)), id_(id) {}
    void wake() noexcept override {
      auto const at = in_.resting_.find(to_.get());
      if (at == in_.resting_.end() || at->second != id_) return;
      in_.resting_.erase(at);
      to_->wake();
    }

   private:
    pump& in_;
    std::shared_ptr<spi::waker> to_;
    std::uint64_t id_;
  };

  void run() {
    std::unique_lock hold(world_.guard());
    while (!stopping_) {
      if (outstanding_ > 0 || in_flight_ > 0)
        world_.step();
      else
        changed_.wait(hold);
    }
  }

  sim::world& world_;
  shared_clock& clock_;
  std::condition_variable_any changed_;
  std::map<spi::waker const*, std::uint64_t> resting_;
  std::uint64_t rests_ = 0;
  int outstanding_ = 0;
  int in_flight_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

class sim_fixture final : public fixture {
 public:
  store client(open_options const& options) override {
    auto by = std::make_shared<sim::link>(sim::link{.world = world_, .server = server_, .pace = &pump_});
    auto made = spi::connect({std::make_shared<sim::backend>(std::move(by)), clock_, "sim:"}, options).value();
    std::lock_guard const hold(world_.guard());
    stores_.push_back(made);
    return made;
  }
  void advance(duration by) override {
    auto const end = now() + by;
    for (;;) {
      pump_.await_rest();
      auto next = end;
      for (auto const& s : stores()) next = std::min(next, spi::run_due(s));
      pump_.await_rest();
      std::lock_guard const hold(world_.guard());
      if (world_.now() >= end) return;
      next = std::max(next, world_.now() + std::chrono::microseconds(1));
      auto const event = world_.next_event();
      if (event <= next)
        world_.step();
      else
        world_.pass_time_to(next);
    }
  }
  [[nodiscard]] time_point now() const override { return world_.now(); }
  [[nodiscard]] bool is_virtual() const override { return true; }
  std::unique_ptr<party> start_party(std::string_view name, party_options const& options) override {
    return std::make_unique<thread_party>(*this, name, options);
  }
  bool pause(store const& client) override {
    return change(client, [](sim::link& l) { l.is_cut = true; });
  }
  bool resume(store const& client) override {
    return change(client, [](sim::link& l) { l.is_cut = false; });
  }
  bool lose_replies(store const& client, std::uint32_t n) override {
    return change(client, [n](sim::link& l) { l.replies_to_lose = n; });
  }
  bool lose_requests(store const& client, std::uint32_t n) override {
    return change(client, [n](sim::link& l) { l.requests_to_lose = n; });
  }
  bool delay_replies(store const& client, duration by) override {
    return change(client, [by](sim::link& l) {
      l.down.delay_min = l.down.delay_max = by;
      l.op_timeout = 2 * by;
    });
  }
  bool forget() override {
    std::lock_guard const hold(world_.guard());
    server_.restart_empty();
    return true;
  }
  std::optional<std::uint64_t> requests() override {
    std::uint64_t sum = 0;
    for (auto const& s : stores()) change(s, [&](sim::link& l) { sum += l.requests; });
    return sum;
  }

 private:
  bool change(store const& client, std::function<void(sim::link&)> const& how) {
    std::lock_guard const hold(world_.guard());
    how(*dynamic_cast<sim::backend&>(*spi::backend_of(client)).by());
    return true;
  }
  std::vector<store> stores() {
    std::lock_guard const hold(world_.guard());
    return stores_;
  }

  sim::world world_{1};
  sim::server server_{world_, std::chrono::seconds(60)};
  std::shared_ptr<shared_clock> clock_ = std::make_shared<shared_clock>(world_);
  pump pump_{world_, *clock_};
  std::vector<store> stores_;
};

}  // namespace

std::unique_ptr<fixture> make_sim() { return std::make_unique<sim_fixture>(); }

}  // namespace leasehold::conformance
