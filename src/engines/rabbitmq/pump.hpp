// Decides how one thread per store keeps the connection: it alone reads and writes, sends heartbeats, and resumes whoever waits for an
// answer of the broker. Other threads post to it.
//
// INVARIANT: everything but `post`, `close`, `where` and `tell_of_losses` is called on that thread.
#pragma once

#include "engines/rabbitmq/wire.hpp"
#include "spi/task.hpp"

#include <sys/types.h>

#include <array>
#include <condition_variable>
#include <coroutine>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>

namespace leasehold::inline v0_1::rabbitmq {

struct seat;
class talk;

/// Wakes the one coroutine of this thread that waits for it; remembered if none does.
struct bell {
  bool rung = false;
  std::coroutine_handle<> waiting;
  bool alarmed = false;
  std::multimap<time_point, bell*>::iterator alarm;
};

class pump final : public std::enable_shared_from_this<pump> {
 public:
  explicit pump(settings of);
  pump(pump const&) = delete;
  pump& operator=(pump const&) = delete;
  ~pump();

  /// Runs `job` on the pump's thread, started if need be. False: closed.
  bool post(std::function<void()> job);
  /// Gives everything back, for as long as `at_most`, and ends. Idempotent.
  void close(duration at_most) noexcept;
  /// `tell` is called whenever a seat's lease was lost without anybody having asked. An empty one ends that, once no call is under way.
  void tell_of_losses(std::function<void()> tell);
  [[nodiscard]] settings const& where() const noexcept { return settings_; }

  [[nodiscard]] time_point now() const noexcept { return clock::now(); }
  [[nodiscard]] bool is_closing() const noexcept { return closing_; }
  void spawn(spi::task<void> t);
  /// Connects if need be, which blocks this thread.
  result<void> ensure_up();
  [[nodiscard]] bool is_up() const noexcept { return wire_ != nullptr; }
  /// Of the present connection, or the last; what was consumed on an older one is gone.
  [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] wire& line() noexcept { return *wire_; }
  [[nodiscard]] duration round_trip() const noexcept { return round_trip_; }
  [[nodiscard]] duration ttl_most() const noexcept;

  class reply_wait;
  class confirm_wait;
  class bell_wait;
  /// The answer to what was sent on that channel just before.
  [[nodiscard]] reply_wait reply(channel on);
  void expect_no_reply(channel on) { replies_[static_cast<std::size_t>(on)].push_back(nullptr); }
  /// Publishes a token; awaited: whether the broker has it for good.
  [[nodiscard]] confirm_wait publish(std::string const& queue, std::string_view body);
  /// True: rung; false: `until` came first.
  [[nodiscard]] bell_wait wait(bell& b, time_point until);
  void ring(bell& b);

  struct counts {
    std::uint32_t messages = 0;
    std::uint32_t consumers = 0;
    bool created = false;  ///< it was not there before
  };
  /// Creates it, or sees that it is a lock's.
  spi::task<result<counts>> declare(std::string queue);
  /// nullopt: it is not there.
  spi::task<result<std::optional<counts>>> look(std::string queue);
  /// The connection answers on its work channel: whatever had been sent there before has come.
  spi::task<result<void>> barrier();

  [[nodiscard]] std::list<std::shared_ptr<seat>>& seats() noexcept { return seats_; }
  [[nodiscard]] talk& talking() noexcept { return *talk_; }
  void lost_one();  ///< a lease, without anybody having asked

  /// Tokens that were found to be too many, too few or strange, since the store was opened; for the doctor.
  struct oddities {
    std::uint64_t duplicates = 0;
    std::uint64_t vanished = 0;
    std::uint64_t foreign = 0;
  };
  oddities odd;

 private:
  template <class Send>
  spi::task<result<incoming>> question(Send send);
  spi::task<result<counts>> make(std::string queue);
  void run();
  bool turn();
  void take_jobs();
  void read_line();
  void take(incoming&& what);
  void take_delivery(incoming&& what);
  void take_confirm(incoming const& what);
  void take_closed_channel(incoming&& what);
  void go_down(failure const& why);
  void fire_alarms();
  void sleep();
  [[nodiscard]] failure refusal_of(incoming const& why, std::string const& queue) const;

  settings const settings_;
  pid_t const process_;
  int const bell_fd_;

  std::mutex guard_;  // of the next block
  std::deque<std::function<void()>> jobs_;
  std::function<void()> tell_;
  bool telling_ = false;
  bool running_ = false;
  bool closed_ = false;
  time_point close_by_{};
  std::condition_variable ended_;

  // The thread's own.
  std::unique_ptr<wire> wire_;
  std::uint64_t epoch_ = 0;
  bool closing_ = false;
  failure down_why_{errc::unavailable};
  time_point next_try_{};
  int failures_ = 0;
  std::size_t host_ = 0;
  duration round_trip_ = std::chrono::milliseconds(1);
  std::array<std::deque<reply_wait*>, 4> replies_;  // by channel; null: nobody cares
  std::map<std::uint64_t, confirm_wait*> confirms_;
  std::uint64_t published_ = 0;
  std::multimap<time_point, bell*> alarms_;
  std::deque<std::coroutine_handle<>> ready_;
  std::list<spi::task<void>> roots_;
  std::unordered_set<std::string> verified_;
  std::list<std::shared_ptr<seat>> seats_;
  std::unique_ptr<talk> talk_;
};

class pump::reply_wait {
 public:
  reply_wait(pump& from, channel c) : in_(from), on_(c) {}
  bool await_ready() const noexcept { return !in_.is_up(); }
  void await_suspend(std::coroutine_handle<> self);
  result<incoming> await_resume();

 private:
  friend pump;
  pump& in_;
  channel on_;
  std::coroutine_handle<> resume_{};
  std::optional<incoming> answer_{};  // null: the connection broke; a closed channel is an answer
};

class pump::confirm_wait {
 public:
  confirm_wait(pump& from, std::string to, std::uint64_t number) : in_(from), queue_(std::move(to)), number_(number) {}
  bool await_ready() const noexcept { return number_ == 0; }
  void await_suspend(std::coroutine_handle<> self);
  result<void> await_resume();

 private:
  friend pump;
  pump& in_;
  std::string queue_;
  std::uint64_t number_;  // 0: there was no connection to publish on
  std::coroutine_handle<> resume_{};
  std::optional<failure> why_{};
};

class pump::bell_wait {
 public:
  bell_wait(pump& from, bell& b, time_point until) : in_(from), on_(b), until_(until) {}
  bool await_ready() const noexcept { return on_.rung || until_ <= in_.now(); }
  void await_suspend(std::coroutine_handle<> self);
  bool await_resume() noexcept { return std::exchange(on_.rung, false); }

 private:
  pump& in_;
  bell& on_;
  time_point until_;
};

}  // namespace leasehold::inline v0_1::rabbitmq
