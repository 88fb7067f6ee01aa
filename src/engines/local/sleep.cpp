// Decides what a waiter sleeps on: its own wake word and the beacons of those whose death would let it go on.
#include "engines/local/claim.hpp"

#include <linux/futex.h>

#include <algorithm>
#include <utility>

namespace leasehold::inline v0_1::local {

/// Words that all still have their expected value, and the moment to look again whatever they say.
struct local_claim::sleep {
  static constexpr std::size_t words_max = 7;  // what a driver takes
  std::array<spi::futex_wait, words_max> words;
  std::size_t count = 0;
  instant until = 0;
  bool is_over = false;

  void add(std::atomic<u32>& word, u32 expected) noexcept { words[count++] = {&word, expected, true}; }
  void bound(instant t) noexcept { until = std::min(until, t); }
  /// A beacon that is out already: look at once, or in a moment while its process is still stopping.
  void add_beacon(local::session const& s, u16 slot) noexcept {
    auto& beacon = s.beacon_of(slot);
    u32 const lit = get(beacon);
    if ((lit & FUTEX_OWNER_DIED) == 0) return add(beacon, lit);
    is_over |= s.fate_of(slot) == fate::gone;
    bound(now() + 100'000);
  }
};

local_claim::sleep local_claim::plan_sleep() const {
  constexpr instant ms = 1'000'000;
  sleep plan;
  instant const at = now();
  // A waiter is woken by whoever changes its situation; these looks only bound what a crash between two steps can cost.
  instant const jitter = static_cast<instant>(seat_ * 7919 % 256) * ms;
  plan.until = at + (place_ == 0 ? 1000 * ms + jitter : place_ == 1 ? 250 * ms + jitter / 4 : 4000 * ms + 4 * jitter);
  if (seat_ == 0) {
    plan.until = at + 50 * ms;
    return plan;
  }
  auto& seat = mem().seat_at(seat_);
  plan.is_over = get(seat.wake) != seen_;
  plan.add(seat.wake, seen_);
  if (deadline_ != 0) plan.bound(static_cast<instant>(deadline_) + 1);
  if (!connection_->use_waitv) {
    plan.bound(at + 50 * ms);
    return plan;
  }
  if (watched_ != nobody) {
    if (place_ == 0) session().expect_end_of(watched_);
    plan.add_beacon(session(), watched_);
  }
  auto const& r = mem().record_at(record_);
  if (place_ != 0 || word{get(r.word)}.kind() != kind::shared) return plan;
  // Holders may leave while we look; one that is missed costs a look more.
  id holder = get(r.holders);
  for (; mem().seat(holder) != nullptr && plan.count < sleep::words_max; holder = get(mem().seat_at(holder).next)) {
    auto const status = status_of(mem().seat_at(holder));
    if (status.state() != seat_state::holding) break;
    if (status.owner() < process_count && status.owner() != session().slot())
      plan.add_beacon(session(), status.owner());
  }
  if (mem().seat(holder) != nullptr) plan.bound(at + 50 * ms);
  return plan;
}

namespace {

/// While it lives, the beacon thread calls the driver's waker when one of the words changes.
class watched_by_mailbox {
 public:
  watched_by_mailbox(session& s, seat& own, std::span<spi::futex_wait const> words, std::shared_ptr<spi::waker> who)
      : session_(s), seat_(own), wait_{words, std::move(who)} {
    // INVARIANT: first the flag, then the look at the words: a waker that came before the flag has changed the word.
    put(seat_.is_async, 1);
    session_.watch(wait_);
  }
  watched_by_mailbox(watched_by_mailbox const&) = delete;
  ~watched_by_mailbox() {
    session_.box().remove(wait_);
    put(seat_.is_async, 0);
  }

 private:
  session& session_;
  seat& seat_;
  mailbox_wait wait_;
};

}  // namespace

spi::task<spi::wake> local_claim::changed(time_point until) {
  auto plan = plan_sleep();
  if (plan.is_over) co_return spi::wake::ready;
  auto& drive = co_await spi::this_driver();
  spi::wait_request request;
  request.until = std::min(until, to_time_point(plan.until));
  auto const words = std::span<spi::futex_wait const>(plan.words.data(), plan.count);
  auto why = spi::wake::ready;
  if (drive.waits_on_futex() || words.empty()) {
    request.words = words;
    why = co_await spi::wait_on(request);
  } else {
    watched_by_mailbox watched(session(), mem().seat_at(seat_), words, drive.get_waker());
    why = co_await spi::wait_on(request);
  }
  co_return why == spi::wake::timeout&& request.until < until ? spi::wake::ready : why;
}

}  // namespace leasehold::inline v0_1::local
