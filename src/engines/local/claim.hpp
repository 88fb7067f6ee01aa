// Decides what one contender does with one name: the fast ways that need no latch, and the slow ones that do.
#pragma once

#include "engines/local/names.hpp"
#include "spi/backend.hpp"

#include <memory>
#include <string_view>

namespace leasehold::inline v0_1::local {

/// What the claims of one backend share.
struct connection {
  std::shared_ptr<local::session> session;
  std::atomic<bool> closed{false};
  bool use_waitv = true;
};

/// Name and metadata lie behind the object, in the same allocation.
class local_claim final : public spi::claim {
 public:
  [[nodiscard]] static std::unique_ptr<local_claim> make(connection& c, spi::claim_spec const& spec);
  ~local_claim() override;
  // Its operator new is make()'s alone: it wants the length of both. NOLINTNEXTLINE(misc-new-delete-overloads)
  static void operator delete(void* p) noexcept { ::operator delete(p); }

  spi::task<result<spi::answer>> attempt() override { co_return ask(true); }
  spi::task<result<spi::answer>> attempt_once() override { co_return ask(false); }
  spi::task<result<duration>> renew() override { co_return extend(); }
  spi::task<result<void>> withdraw(duration hold_off) override { co_return give_up(hold_off); }
  spi::task<spi::wake> changed(time_point until) override;
  std::optional<result<spi::answer>> attempt_now() override { return ask(true); }
  std::optional<result<spi::answer>> attempt_once_now() override { return ask(false); }
  std::optional<result<duration>> renew_now() override { return extend(); }
  std::optional<result<void>> withdraw_now(duration hold_off) override { return give_up(hold_off); }
  void prefetch() const noexcept override {
    auto const* const r = mem().record(record_);
    __builtin_prefetch(r, 1);
    if (r != nullptr) __builtin_prefetch(&r->deadline, 1);
  }
  [[nodiscard]] bool revoked() const noexcept override;
  spi::task<result<std::string>> detach() override;
  spi::task<result<void>> put_note(std::string_view text) override;
  spi::task<result<std::optional<previous_holder>>> previous() override;
  spi::task<result<void>> put_record(std::string_view value, duration window) override;

  /// Takes up what `ticket` names. What is left of its TTL, or errc::lost.
  [[nodiscard]] result<spi::granted> adopt(std::string_view ticket);

 private:
  enum class phase : std::uint8_t { idle, held };

  local_claim(connection& c, spi::claim_spec const& spec, u64 hash, std::string_view metadata);
  static void* operator new(std::size_t own, std::size_t tail) { return ::operator new(own + tail); }
  static void operator delete(void* p, std::size_t) noexcept { ::operator delete(p); }

  [[nodiscard]] local::session& session() const noexcept { return *connection_->session; }
  [[nodiscard]] view const& mem() const noexcept { return session().mem(); }
  [[nodiscard]] std::string_view name() const noexcept {
    return {reinterpret_cast<char const*>(this + 1), name_bytes_};
  }
  [[nodiscard]] std::string_view metadata() const noexcept {
    return {reinterpret_cast<char const*>(this + 1) + name_bytes_, metadata_bytes_};
  }
  [[nodiscard]] bool has_terms() const noexcept { return ttl_ > 0 || lock_delay_ > 0; }
  [[nodiscard]] bool is_held() const noexcept { return phase_.load(std::memory_order_acquire) == phase::held; }
  /// A new grant's token; larger than that of any grant whose word the caller has read.
  [[nodiscard]] u64 next_token() const noexcept;
  [[nodiscard]] spi::granted grant() const;

  // The verbs.
  [[nodiscard]] result<spi::answer> ask(bool may_queue);
  [[nodiscard]] result<duration> extend();
  [[nodiscard]] result<void> give_up(duration hold_off);

  // Exclusive.
  enum class quick : std::uint8_t { granted, busy, look };
  [[nodiscard]] quick ask_quickly(bool may_queue);
  [[nodiscard]] bool is_plainly_held(record& r, word seen) const;
  [[nodiscard]] bool take(record& r, word seen, bool waiters);
  [[nodiscard]] bool describe(record& r, instant at);
  [[nodiscard]] result<void> release(duration hold_off);
  [[nodiscard]] result<void> release_slowly(duration hold_off);
  [[nodiscard]] result<void> not_ours(record& r);

  // Under the latch.
  [[nodiscard]] result<spi::answer> ask_slowly(bool may_queue);
  [[nodiscard]] word sight() const;
  [[nodiscard]] result<id> locate(visit& at);
  [[nodiscard]] result<void> check_mode(visit& at, record& r, word w) const;
  void check_seat(visit& at, record& r);
  [[nodiscard]] bool may_take(record& r, word w) const;
  [[nodiscard]] result<bool> take_slowly(visit& at, record& r, word w);
  [[nodiscard]] failure out_of_seats() const;
  [[nodiscard]] result<void> queue(visit& at);
  [[nodiscard]] spi::busy refuse(visit& at, record& r, word w);
  void remember_whom_to_watch(visit& at, record& r, word w);
  [[nodiscard]] instant look_again_at(record& r, word w, u32 ahead) const;
  [[nodiscard]] result<void> leave_line();

  /// Takes the latch; errc::lost unless the name is still ours alone, in time.
  [[nodiscard]] result<void> check_still_ours(visit& at) const;

  // Shared.
  void describe(seat& s) const;
  [[nodiscard]] bool take_shared(visit& at, record& r, word w, id seat);
  [[nodiscard]] bool holds_seat() const noexcept;
  [[nodiscard]] result<duration> extend_shared();
  [[nodiscard]] result<void> release_shared(duration hold_off);

  // Waiting.
  struct sleep;
  [[nodiscard]] sleep plan_sleep() const;

  connection* connection_;  ///< the backend's, which lives longer
  u64 hash_;
  u64 token_ = 0;
  u64 before_ = 0;    ///< the grant before ours, as its word's sequence; 0: unknown
  u64 deadline_ = 0;  ///< held: as in the record; waiting: when to look again, 0 = unknown
  std::int64_t ttl_;
  std::int64_t lock_delay_;
  id record_ = 0;
  id seat_ = 0;   ///< waiting or sharing
  u32 seen_ = 0;  ///< the seat's wake word at the last refusal
  leasehold::mode mode_;
  u16 metadata_bytes_;
  u16 watched_ = nobody;  ///< whose death would change the answer
  std::uint8_t name_bytes_;
  std::uint8_t place_ = 0;  ///< in line: 0 head, 1 second, 2 further back
  std::atomic<phase> phase_{phase::idle};
};

}  // namespace leasehold::inline v0_1::local
