#include "engines/cosmos/transport.hpp"

#include "engines/cosmos/exchange.hpp"
#include "engines/cosmos/http_date.hpp"
#include "engines/cosmos/sign.hpp"
#include "engines/cosmos/wall_clock.hpp"

#include <pthread.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace leasehold::inline v0_1::cosmos {
namespace {

constexpr long connections_max = 32;
constexpr duration linger = std::chrono::seconds(2);

std::int64_t ms_of(time_point at) noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

bool is_loopback(std::string const& host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

}  // namespace

/// What the thread and the store share; the thread keeps it alive.
/// INVARIANT: the multi handle and the carriers are the thread's alone while there is one, and nobody's otherwise.
class transport::engine : public std::enable_shared_from_this<engine> {
 public:
  engine(settings const& to, curl_library const& lib)
      : lib_(lib), verify_(to.verify), ca_file_(to.ca_file), loopback_(is_loopback(to.host)), multi_(lib.multi_init()) {
    lib_.multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max);
    lib_.multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections_max);
  }
  engine(engine const&) = delete;
  engine& operator=(engine const&) = delete;
  ~engine() {
    for (auto& c : idle_) c.reset();
    lib_.multi_cleanup(multi_);
  }

  [[nodiscard]] bool is_forked() const noexcept { return ::getpid() != made_by_; }

  /// False: closed, or no thread can be had.
  bool submit(std::shared_ptr<exchange> what) {
    std::lock_guard const hold(guard_);
    if (closed_ || !ensure_thread()) return false;
    queue_.push_back(std::move(what));
    lib_.wakeup(multi_);
    return true;
  }
  void close() noexcept {
    std::lock_guard const hold(guard_);
    closed_ = true;
    lib_.wakeup(multi_);
  }
  /// The thread is not to be inside libcurl when the process ends; a look-up of a name may hold it up, and is not waited for.
  void await_end() noexcept {
    std::unique_lock hold(guard_);
    ended_.wait_for(hold, std::chrono::seconds(1), [this] { return !running_; });
  }

 private:
  bool ensure_thread() {
    if (running_) return true;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread([self = shared_from_this()] { self->run(); }).detach();
      running_ = true;
    } catch (std::system_error const&) {  // no more threads: told as unavailable
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return running_;
  }

  void run() {
    auto idle_since = clock::now();
    for (;;) {
      if (!take_queue(idle_since)) break;
      int under_way = 0;
      lib_.perform(multi_, &under_way);
      collect();
      if (!busy_.empty()) idle_since = clock::now();
      lib_.poll(multi_, nullptr, 0, busy_.empty() ? 500 : 1000, nullptr);
    }
  }

  /// What is to be begun; false: the thread ends.
  bool take_queue(time_point idle_since) {
    std::vector<std::shared_ptr<exchange>> fresh;
    bool closed = false;
    {
      std::lock_guard const hold(guard_);
      fresh.swap(queue_);
      closed = closed_;
      if (!closed && fresh.empty() && busy_.empty() && clock::now() - idle_since > linger) {
        running_ = false;  // from here on another thread may begin
        return false;
      }
    }
    if (closed) {
      end_all(fresh);
      return false;
    }
    for (auto& what : fresh) begin(std::move(what));
    return true;
  }

  void end_all(std::vector<std::shared_ptr<exchange>> const& fresh) {
    for (auto const& what : fresh)
      what->finish(failure{make_error_code(errc::cancelled), diagnostics("the store was closed")});
    while (!busy_.empty()) retire(*busy_.back())->abandon();
    std::lock_guard const hold(guard_);
    running_ = false;
    ended_.notify_all();
  }

  void begin(std::shared_ptr<exchange> what) {
    if (idle_.empty()) idle_.push_back(std::make_unique<carrier>(lib_, verify_, ca_file_, loopback_));
    busy_.push_back(std::move(idle_.back()));
    idle_.pop_back();
    busy_.back()->load(std::move(what), clock::now());
    lib_.multi_add(multi_, busy_.back()->handle());
  }

  void collect() {
    int left = 0;
    while (auto* const said = lib_.info_read(multi_, &left)) {
      if (said->msg != CURLMSG_DONE) continue;
      auto const code = said->data.result;
      void* self = nullptr;
      lib_.getinfo(said->easy_handle, CURLINFO_PRIVATE, &self);
      retire(*static_cast<carrier*>(self))->unload(code, clock::now());
    }
  }

  /// Moves it from the busy to the idle.
  carrier* retire(carrier& c) {
    lib_.multi_remove(multi_, c.handle());
    for (auto& one : busy_) {
      if (one.get() != &c) continue;
      std::swap(one, busy_.back());
      idle_.push_back(std::move(busy_.back()));
      busy_.pop_back();
      break;
    }
    return &c;
  }

  curl_library const& lib_;
  bool const verify_;
  std::string const ca_file_;
  bool const loopback_;
  CURLM* const multi_;
  pid_t const made_by_ = ::getpid();
  std::vector<std::unique_ptr<carrier>> idle_;
  std::vector<std::unique_ptr<carrier>> busy_;
  std::mutex guard_;
  std::condition_variable ended_;
  std::vector<std::shared_ptr<exchange>> queue_;
  bool running_ = false;
  bool closed_ = false;
};

transport::transport(settings const& to) : to_(to), engine_(std::make_shared<engine>(to, *curl_library::get())) {}

transport::~transport() {
  if (engine_->is_forked()) {
    // The parent's connections: to end them would end the parent's, and its thread may hold any lock of the copy.
    static_cast<void>(new std::shared_ptr<engine>(std::move(engine_)));
    return;
  }
  close();
  engine_->await_end();
}

void transport::close() noexcept {
  if (!engine_->is_forked()) engine_->close();
}

std::int64_t transport::server_ms(time_point now) const noexcept {
  auto const offset = offset_ms_.load();
  return offset == INT64_MIN ? 0 : ms_of(now) + offset;
}

void transport::note(response const& r) noexcept {
  charged_.fetch_add(r.charge);
  if (r.date == 0) return;
  auto const offset = r.date * 1000 - ms_of(r.received_at);
  auto known = offset_ms_.load();
  // The date has whole seconds, so the largest that was seen is the closest; one that jumps back by much is believed, too.
  constexpr std::int64_t jump_ms = 5000;
  while ((offset > known || known - offset > jump_ms) && !offset_ms_.compare_exchange_weak(known, offset)) {
  }
}

spi::task<result<response>> transport::send(std::string const& base, request r, time_point until) {
  auto& drive = co_await spi::this_driver();
  auto const server = server_ms(drive.now());
  auto const date = http_date(server != 0 ? server / 1000 : wall_clock_seconds());
  auto what = std::make_shared<exchange>();
  what->url = base + r.path;
  what->verb = r.verb;
  what->headers = std::move(r.headers);
  what->headers.push_back("x-ms-date: " + date);
  what->headers.push_back("x-ms-version: 2018-12-31");
  what->headers.push_back("accept: application/json");
  what->headers.push_back("authorization: " + authorization(to_.key.reveal(), r.verb, r.type, r.link, date));
  what->body = std::move(r.body);
  what->until = until;
  what->shown = to_.shown;
  what->expect(drive.get_waker());
  struct departure {
    exchange& from;
    ~departure() { from.leave(); }
  };
  departure const leaves_in_the_end{*what};
  if (!engine_->submit(what)) {
    co_return failure{make_error_code(errc::cancelled), diagnostics(to_.shown + ": the store was closed")};
  }
  // libcurl ends it in time, and knows whether it was sent; this is for a thread that does not get to run.
  auto const at_the_latest = until + std::chrono::milliseconds(100);
  while (!what->is_done()) {
    spi::wait_request sleep{};
    sleep.until = at_the_latest;
    auto const why = co_await spi::wait_on(sleep);
    if (what->is_done()) break;
    if (why == spi::wake::stopped) co_return failure{errc::cancelled};
    if (why == spi::wake::timeout) {
      co_return failure{make_error_code(errc::outcome_unknown), diagnostics(to_.shown + ": no answer in time")};
    }
  }
  auto out = what->take();
  if (out) note(*out);
  co_return out;
}

}  // namespace leasehold::inline v0_1::cosmos
