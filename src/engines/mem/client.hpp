// Decides how a client speaks to the in-process engine: the SPI's backend and claim over `engine`.
#pragma once

#include "engines/mem/engine.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace leasehold::inline v0_1::mem {

/// One contender. A verb takes effect, or fails, within the call: the `_now` forms always answer; a request that a
/// fault holds back fails at once, since no virtual time passes within a call.
class mem_claim final : public spi::claim {
 public:
  mem_claim(std::shared_ptr<client> from, spi::claim_spec const& spec, owner_id adopted = 0);
  ~mem_claim() override;

  spi::task<result<spi::answer>> attempt() override { co_return ask(true); }
  spi::task<result<spi::answer>> attempt_once() override { co_return ask(false); }
  spi::task<result<duration>> renew() override { co_return extend(); }
  spi::task<result<void>> withdraw(duration hold_off) override { co_return leave(hold_off); }
  spi::task<spi::wake> changed(time_point until) override;
  std::optional<result<spi::answer>> attempt_now() override { return ask(true); }
  std::optional<result<spi::answer>> attempt_once_now() override { return ask(false); }
  std::optional<result<duration>> renew_now() override { return extend(); }
  std::optional<result<void>> withdraw_now(duration hold_off) override { return leave(hold_off); }
  [[nodiscard]] bool revoked() const noexcept override { return revoked_.load(std::memory_order_acquire); }
  spi::task<result<std::string>> detach() override;
  spi::task<result<void>> put_note(std::string_view text) override;
  spi::task<result<std::optional<previous_holder>>> previous() override;
  spi::task<result<void>> put_record(std::string_view value, duration window) override;

 private:
  friend class engine;
  result<spi::answer> ask(bool enqueue);
  result<duration> extend();
  result<void> leave(duration hold_off);

  struct watch {
    std::shared_ptr<spi::waker> waker;  // null: nobody waits
    time_point until;
    bool woken = false;
  };

  std::shared_ptr<client> const from_;
  std::string const name_;
  lock_request asked_;
  bool may_hold_ = false;  // granted, or perhaps granted
  std::atomic<bool> revoked_{false};
  watch watch_;  // guarded by the engine
};

class client final : public spi::backend, public std::enable_shared_from_this<client> {
 public:
  explicit client(std::shared_ptr<mem::engine> to) : engine_(std::move(to)) {}

  [[nodiscard]] leasehold::traits const& traits() const noexcept override;
  std::unique_ptr<spi::claim> make_claim(spi::claim_spec const& spec) override;
  spi::task<result<adopted>> adopt(spi::claim_spec const& spec, std::string_view ticket) override;
  spi::task<result<lock_info>> inspect(std::string_view name) override;
  spi::task<result<std::vector<lock_info>>> list(std::string_view prefix) override;
  spi::task<result<void>> evict(std::string_view name, std::uint64_t token, evict_options const& options) override;
  spi::task<result<std::optional<completion>>> get_record(std::string_view name) override;
  void on_revocation(std::function<void()> tell) override;
  void close() noexcept override { engine_->close(*this); }

  [[nodiscard]] mem::engine& engine() const noexcept { return *engine_; }

 private:
  friend class engine;
  void tell_revoked();

  std::shared_ptr<mem::engine> const engine_;
  std::mutex tell_guard_;
  std::function<void()> tell_;  // guarded by tell_guard_
  mem::faults faults_;          // guarded by the engine
  bool closed_ = false;         // guarded by the engine
};

}  // namespace leasehold::inline v0_1::mem
