// Decides how another client of a virtual-time engine is played by a thread of this process.
#pragma once

#include "conformance/fixture.hpp"

#include <future>
#include <stop_token>
#include <string>
#include <utility>

namespace leasehold::conformance {

/// `Fixture` can pause and resume a client, which is what death looks like from outside.
class thread_party final : public party {
 public:
  thread_party(fixture& in, std::string_view name, party_options const& options)
      : fixture_(in), client_(in.client()), name_(name), options_(options) {
    granted_ = std::async(std::launch::async, [this] { return acquire(); });
  }
  ~thread_party() override {
    // A waiter that was killed is cut off for good: nobody waits for its withdrawal to succeed.
    stop_.request_stop();
    while (!is_ready(std::chrono::milliseconds(2))) fixture_.advance(std::chrono::milliseconds(100));
  }

  std::uint64_t await_grant() override {
    while (!is_ready(std::chrono::milliseconds(20))) fixture_.advance(std::chrono::milliseconds(100));
    if (!lease_) lease_ = granted_.get();
    return lease_ && lease_.has_token() ? lease_.token() : 0;
  }
  bool held() override { return lease_ && lease_.held(); }
  std::error_code release() override {
    std::error_code ec;
    lease_.release(ec);
    return ec;
  }
  std::error_code complete(std::string_view result) override {
    std::error_code ec;
    lease_.complete(result, std::chrono::hours(24), ec);
    return ec;
  }
  void pause() override { fixture_.pause(client_); }
  void resume() override { fixture_.resume(client_); }
  void kill() override { fixture_.pause(client_); }

 private:
  lease acquire() {
    std::error_code ignored;
    auto got = client_.acquire(
        name_,
        {.ttl = options_.ttl, .mode = options_.mode, .lock_delay = options_.lock_delay, .identity = options_.identity},
        stop_.get_token(), ignored);
    if (got && !options_.note.empty()) got.note(options_.note);
    return got;
  }
  bool is_ready(duration patience) {
    return !granted_.valid() || granted_.wait_for(patience) == std::future_status::ready;
  }

  fixture& fixture_;
  store client_;
  std::string const name_;
  party_options const options_;
  std::stop_source stop_;
  lease lease_;
  std::future<lease> granted_;
};

}  // namespace leasehold::conformance
