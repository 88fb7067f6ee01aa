// Decides how a seat lives: it joins the line, makes sure that the one token in its hand is the only one and nobody else's, holds, and
// leaves so that the next knows whether it left or died.
//
// INVARIANT: a seat becomes ready only after the broker answered a request that was sent after the token had come, and only once whoever
// may have had that token before cannot believe in it any more.
// INVARIANT: the last token in hand is given up only after the broker confirmed that it has the next.
#include "engines/rabbitmq/seat.hpp"

#include "engines/rabbitmq/talk.hpp"
#include "engines/rabbitmq/timing.hpp"
#include "engines/rabbitmq/wall_clock.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::rabbitmq {
namespace {

/// INVARIANT: nothing is sent without having looked, since the last co_await, whether the connection is still the seat's own.
class life {
 public:
  life(pump& p, seat& s) : p_(p), s_(s) {}

  spi::task<void> run() {
    auto const joined = co_await join();
    if (!joined) {
      s_.end(joined.get_failure());
      // Whatever was asked on this connection may have taken effect: only its end would undo it.
      if (is_connected() && consuming_) co_await leave();
      co_return s_.note_left(std::nullopt);
    }
    for (;;) {
      if (!is_connected() || s_.cancelled) co_return s_.note_left(lost());
      if (is_over()) co_return co_await leave();
      if (!s_.settled && !s_.hand.empty()) {
        if (auto const ok = co_await settle(); !ok) {
          s_.end(ok.get_failure());
          s_.leave_at = p_.now();
        }
        continue;
      }
      if (s_.settled && (s_.hand.size() > 1 || p_.now() >= s_.cycle_at)) {
        if (auto const ok = co_await unite(); !ok) s_.end(ok.get_failure());
        continue;
      }
      static_cast<void>(co_await p_.wait(s_.event, next_due()));
    }
  }

 private:
  [[nodiscard]] bool is_connected() const noexcept { return p_.is_up() && p_.epoch() == s_.epoch; }
  [[nodiscard]] std::optional<failure> lost() const {
    return failure{make_error_code(errc::outcome_unknown),
                   diagnostics(p_.where().shown + ": the connection broke; the broker gives the lock to the next")};
  }

  /// Nobody wants it any more, or its time has run out.
  bool is_over() {
    if (s_.strange) {
      s_.end(*s_.strange);
      return true;
    }
    if (p_.is_closing()) return true;
    std::unique_lock hold(s_.guard);
    s_.note_request();
    if (s_.leave_at) return p_.now() >= *s_.leave_at;
    if (s_.once && !s_.settled && p_.now() >= after(s_.since, s_.patience)) return true;
    bool const may_hold = s_.now == phase::ready || s_.now == phase::held;
    if (!may_hold || p_.now() < s_.expires_at) return s_.now == phase::gone;
    hold.unlock();
    if (s_.lose({make_error_code(errc::expired), diagnostics("its time had run out")})) p_.lost_one();
    return true;
  }

  [[nodiscard]] time_point next_due() {
    if (s_.leave_at) return *s_.leave_at;
    if (s_.once && !s_.settled) return after(s_.since, s_.patience);
    std::lock_guard const hold(s_.guard);
    return s_.settled ? std::min(s_.expires_at, s_.cycle_at) : time_point::max();
  }

  spi::task<result<void>> join() {
    if (auto const up = p_.ensure_up(); !up) co_return up.get_failure();
    s_.epoch = p_.epoch();
    auto const there = co_await p_.declare(s_.queue);
    if (!there) co_return there.get_failure();
    bool const somebody = there->consumers > 0 && there->messages == 0;
    if (somebody && s_.once) {
      s_.end(std::nullopt);
      co_return result<void>();
    }
    if (!is_connected()) co_return *lost();
    if (there->created) seed();
    p_.line().consume(s_.queue, s_.tag);
    consuming_ = true;
    auto const ok = co_await p_.reply(channel::work);
    if (!ok) co_return ok.get_failure();
    if (somebody) {
      s_.become(phase::waiting);
      co_return result<void>();
    }
    auto const window = std::max<duration>(std::chrono::milliseconds(50), 3 * p_.round_trip());
    co_await expect(window);
    if (s_.hand.empty() && there->consumers == 0 && !there->created && is_wanted()) {
      ++p_.odd.vanished;  // nobody has it, and it is not there
      seed();
      co_await expect(window);
    }
    if (s_.hand.empty()) {
      if (s_.once) s_.end(std::nullopt);
      s_.become(phase::waiting);
    }
    co_return result<void>();
  }

  [[nodiscard]] bool is_wanted() const noexcept {
    return is_connected() && !s_.cancelled && !s_.strange && !s_.leave_at && !p_.is_closing();
  }

  spi::task<void> expect(duration at_most) {
    auto const until = p_.now() + at_most;
    while (is_wanted() && s_.hand.empty() && !s_.strange && p_.now() < until)
      static_cast<void>(co_await p_.wait(s_.event, until));
  }

  /// A first token. Any number of first users may do so: the one with the largest generation stays.
  void seed() { static_cast<void>(p_.publish(s_.queue, next_token(token::condition::free).text())); }

  [[nodiscard]] token next_token(token::condition state) {
    token out;
    out.generation = s_.seen == 0 ? wall_clock_us() : s_.seen + 1;
    out.id = new_id();
    out.state = state;
    out.name = s_.name;
    out.worst = s_.worst();
    out.who = s_.who;
    if (state == token::condition::held) out.by = s_.tag;
    if (!s_.hand.empty()) out.after = s_.hand[best_of(s_.hand)].token.id;
    return out;
  }

  /// What has come by counts, whether it stays or not.
  void note_hand() {
    s_.owed = std::max(s_.owed, owed_until(s_.hand, s_.tag));
    for (auto const& h : s_.hand) s_.seen = std::max(s_.seen, h.token.generation);
  }

  void drop(std::size_t i) {
    if (is_connected()) p_.line().ack(s_.hand[i].delivery);
    s_.hand.erase(s_.hand.begin() + static_cast<std::ptrdiff_t>(i));
  }

  void drop_all_but(std::string const& id) {
    for (auto i = s_.hand.size(); i-- > 0;) {
      if (s_.hand[i].token.id != id) drop(i);
    }
  }

  [[nodiscard]] bool has(std::string const& id) const {
    return std::ranges::any_of(s_.hand, [&](auto const& h) { return h.token.id == id; });
  }

  /// One token of our own in place of all that there are.
  spi::task<result<void>> unite() {
    for (;;) {
      if (!is_connected()) co_return *lost();
      note_hand();
      auto const mine = next_token(token::condition::held);
      if (auto const ok = co_await p_.publish(s_.queue, mine.text()); !ok) co_return ok.get_failure();
      auto const patience = after(p_.now(), p_.where().ttl_max());
      while (!has(mine.id)) {
        if (!is_connected() || s_.cancelled || p_.now() >= patience) co_return *lost();
        if (s_.strange) co_return *s_.strange;
        note_hand();
        if (s_.hand.size() > 1) {
          ++p_.odd.duplicates;
          drop(1 - best_of(s_.hand));  // the prefetch is two: there is room again
        }
        static_cast<void>(co_await p_.wait(s_.event, patience));
      }
      note_hand();
      drop_all_but(mine.id);
      auto const rest = co_await p_.look(s_.queue);
      if (!rest) co_return rest.get_failure();
      if (s_.seen > mine.generation || s_.hand.size() > 1 || (*rest && (*rest)->messages > 0)) continue;
      s_.cycle_at = after(p_.now(), p_.where().consumer_timeout / 3);
      co_return result<void>();
    }
  }

  /// From the first token in hand to a lease.
  spi::task<result<void>> settle() {
    for (;;) {
      auto const sent_at = p_.now();
      if (auto const ok = co_await p_.barrier(); !ok) co_return ok.get_failure();
      if (!is_connected() || s_.hand.empty()) co_return *lost();
      if (s_.strange) co_return *s_.strange;
      note_hand();
      auto const& first = s_.hand.front();
      bool const own = first.token.state == token::condition::held && first.token.by == s_.tag;
      bool const plain = s_.hand.size() == 1 && first.token.generation > 0 && first.token.name == s_.name &&
                         (own || (!is_owed(first, s_.tag) && first.token.worst >= s_.worst()));
      if (!plain) {
        if (s_.hand.size() > 1) ++p_.odd.duplicates;
        if (auto const ok = co_await unite(); !ok) co_return ok.get_failure();
      }
      if (s_.owed > p_.now()) {
        if (co_await wait_out()) continue;
        co_return result<void>();  // not wanted any more
      }
      if (!plain) continue;
      s_.settled = true;
      s_.cycle_at = std::min(s_.cycle_at, after(p_.now(), p_.where().consumer_timeout / 3));
      std::lock_guard const hold(s_.guard);
      if (s_.now == phase::gone) co_return result<void>();
      s_.fence = s_.hand.front().token.generation;
      s_.sent_at = sent_at;
      s_.expires_at = after(sent_at, s_.ttl);
      s_.now = phase::ready;
      if (s_.waker) s_.waker->wake();
      co_return result<void>();
    }
  }

  /// Until nobody can believe any more that he holds. False: given up before.
  spi::task<bool> wait_out() {
    {
      std::lock_guard const hold(s_.guard);
      s_.free_at = s_.owed;
    }
    s_.become(phase::recovering);
    while (p_.now() < s_.owed) {
      auto until = s_.owed;
      if (s_.once) until = std::min(until, after(s_.since, s_.patience));
      if (s_.leave_at) until = std::min(until, *s_.leave_at);
      static_cast<void>(co_await p_.wait(s_.event, until));
      if (!is_connected() || s_.cancelled || is_over()) co_return false;
      if (s_.hand.size() > 1) co_return true;
    }
    co_return true;
  }

  spi::task<void> leave() {
    s_.end(std::nullopt);
    if (!consuming_) co_return s_.note_left(std::nullopt);
    if (!is_connected()) co_return s_.note_left(lost());
    note_hand();
    p_.line().cancel(s_.tag);
    std::string given;
    std::uint64_t generation = 0;
    if (s_.strange) {
      for (auto const& h : s_.hand) p_.line().give_back(h.delivery);
      s_.hand.clear();
    }
    if (!s_.hand.empty()) {
      auto const next = successor();
      generation = next.generation;
      given = next.text();
    }
    // Whatever was delivered before the cancellation has come once it is answered, which it is before a token sent after it is confirmed.
    if (given.empty()) {
      static_cast<void>(co_await p_.reply(channel::work));
      co_return co_await settle_up(0);
    }
    p_.expect_no_reply(channel::work);
    auto const confirmed = co_await p_.publish(s_.queue, given);
    if (confirmed) co_return co_await settle_up(generation);
    if (is_connected()) {
      for (auto const& h : s_.hand) p_.line().give_back(h.delivery);
    }
    s_.note_left(confirmed.get_failure());
  }

  /// What the next one gets.
  [[nodiscard]] token successor() {
    auto const now = p_.now();
    if (s_.owed <= now) return next_token(token::condition::free);
    auto out = next_token(token::condition::owed);
    out.worst = s_.owed - now;
    return out;
  }

  /// The broker has a token of generation `given`, or none of ours.
  spi::task<void> settle_up(std::uint64_t given) {
    if (!is_connected()) co_return s_.note_left(std::nullopt);
    note_hand();
    if (!s_.hand.empty() && s_.seen >= given) {
      auto const again = successor().text();
      if (auto const ok = co_await p_.publish(s_.queue, again); !ok) co_return s_.note_left(ok.get_failure());
    }
    while (!s_.hand.empty()) drop(s_.hand.size() - 1);
    s_.note_left(std::nullopt);
  }

  pump& p_;
  seat& s_;
  bool consuming_ = false;
};

}  // namespace

spi::task<void> live(pump& p, std::shared_ptr<seat> s) {
  auto const at = p.seats().insert(p.seats().end(), s);
  life one(p, *s);
  co_await one.run();
  p.talking().answer_of(*s);
  p.seats().erase(at);
}

}  // namespace leasehold::inline v0_1::rabbitmq
