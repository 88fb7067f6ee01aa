// Decides how a simulated client speaks to the simulated engine: every verb is a request that may be lost, late,
// doubled or unanswered.
#pragma once

#include "sim/network.hpp"
#include "sim/server.hpp"
#include "spi/backend.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace leasehold::sim {

/// A request on its way. Shared with the events that carry it: an answer that comes too late finds `open` false.
struct call_base {
  std::shared_ptr<spi::waker> waker;
  bool open = true;
  bool outstanding = true;  ///< neither answered nor timed out
};
template <class T>
struct call : call_base {
  std::optional<result<T>> reply;
};

/// Lets time pass where threads wait; null in the simulator, whose driver does. Called under the world's lock.
class pacemaker {
 public:
  pacemaker() = default;
  pacemaker(pacemaker const&) = delete;
  pacemaker& operator=(pacemaker const&) = delete;
  virtual ~pacemaker() = default;
  virtual void call_begins(std::shared_ptr<call_base> const& c, time_point patience_ends) = 0;
  virtual void call_ends(call_base& c) = 0;
  /// A message is on its way, until it is delivered. REQUIRES: weather without loss and doubles.
  virtual void message_begins() = 0;
  virtual void message_ends() = 0;
  /// What to call instead of `w`, which sleeps until then or until woken.
  virtual std::shared_ptr<spi::waker> rest_begins(std::shared_ptr<spi::waker> w, time_point until) = 0;
  virtual void rest_ends(spi::waker const& w) = 0;
};

/// What one client's requests travel over. Outlives the claims made on it.
struct link {
  sim::world& world;
  sim::server& server;
  weather up{};
  weather down{};
  bool is_cut = false;  ///< nothing gets through, in either direction
  std::uint32_t requests_to_lose = 0;
  std::uint32_t replies_to_lose = 0;
  duration op_timeout = std::chrono::milliseconds(400);
  bool reuses_owner = false;  ///< a wrong rule, for a test of the checker: no new owner id after a withdrawal
  std::uint64_t requests = 0;
  bool closed = false;
  pacemaker* pace = nullptr;

  void send_up(std::function<void()> const& deliver);
  void send_down(std::function<void()> const& deliver);
  [[nodiscard]] mem::owner_id new_owner() const;

 private:
  void send(weather const& how, std::function<void()> const& deliver);
};

/// Sends `act`, waits for its reply; errc::outcome_unknown when none comes in time, or on stop.
template <class T>
spi::task<result<T>> ask(std::shared_ptr<link> by, std::function<result<T>(server&)> const& act);

class claim final : public spi::claim {
 public:
  claim(std::shared_ptr<link> by, spi::claim_spec const& spec, mem::owner_id adopted = 0);

  spi::task<result<spi::answer>> attempt() override { return try_once(true); }
  spi::task<result<spi::answer>> attempt_once() override { return try_once(false); }
  spi::task<result<duration>> renew() override;
  spi::task<result<void>> withdraw(duration hold_off) override;
  spi::task<spi::wake> changed(time_point until) override;
  spi::task<result<std::string>> detach() override;
  /// What a renewal asks of the engine.
  [[nodiscard]] std::function<result<duration>(server&)> renewal() const;

 private:
  spi::task<result<spi::answer>> try_once(bool enqueue);

  std::shared_ptr<link> const link_;
  std::string const name_;
  mem::lock_request asked_;
  bool withdrawn_ = false;  // the next attempt begins anew
  bool may_hold_ = false;
};

class backend final : public spi::backend {
 public:
  explicit backend(std::shared_ptr<link> by) : link_(std::move(by)) {}

  [[nodiscard]] leasehold::traits const& traits() const noexcept override;
  std::unique_ptr<spi::claim> make_claim(spi::claim_spec const& spec) override;
  spi::task<result<adopted>> adopt(spi::claim_spec const& spec, std::string_view ticket) override;
  spi::task<result<lock_info>> inspect(std::string_view name) override;
  spi::task<result<std::vector<lock_info>>> list(std::string_view prefix) override;
  spi::task<result<void>> evict(std::string_view name, std::uint64_t token, evict_options const& options) override;
  /// All at once; none waits for another's answer.
  spi::task<void> renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) override;
  void close() noexcept override;

  [[nodiscard]] std::shared_ptr<link> const& by() const noexcept { return link_; }

 private:
  std::shared_ptr<link> const link_;
};

}  // namespace leasehold::sim
