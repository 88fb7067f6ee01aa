// Decides how one contender asks, waits, renews and leaves: each verb is one script, sent under the claim's own owner id.
#pragma once

#include "engines/redis/backend.hpp"
#include "engines/redis/names.hpp"

#include <string>
#include <vector>

namespace leasehold::inline v0_1::redis {

class redis_claim final : public spi::claim {
 public:
  redis_claim(backend& from, spi::claim_spec const& spec);
  ~redis_claim() override;

  spi::task<result<spi::answer>> attempt() override { return ask(true); }
  spi::task<result<spi::answer>> attempt_once() override { return ask(false); }
  spi::task<result<duration>> renew() override;
  spi::task<result<void>> withdraw(duration hold_off) override;
  spi::task<spi::wake> changed(time_point until) override;
  spi::task<result<std::string>> detach() override;
  spi::task<result<void>> put_note(std::string_view text) override;
  spi::task<result<std::optional<previous_holder>>> previous() override;
  spi::task<result<void>> put_record(std::string_view value, duration window) override;

  /// Takes up what `ticket` names.
  spi::task<result<spi::granted>> take_over(std::string_view ticket);

  // What a renewal of many needs.
  [[nodiscard]] bool is_alone() const noexcept { return capacity_ == 0; }
  [[nodiscard]] std::string const& name() const noexcept { return name_; }
  [[nodiscard]] std::string const& owner() const noexcept { return owner_; }
  [[nodiscard]] duration ttl() const noexcept { return ttl_; }
  [[nodiscard]] duration lock_delay() const noexcept { return lock_delay_; }
  /// How long a request of its may take.
  [[nodiscard]] duration patience() const noexcept { return patience_; }

 private:
  enum class state : std::uint8_t {
    apart,    ///< nothing of it is in the server
    in_line,  ///< or perhaps
    holding,  ///< or perhaps
  };

  spi::task<result<spi::answer>> ask(bool enqueue);
  spi::task<result<reply>> ask_of_mine(script const& what, std::vector<std::string_view> keys,
                                       std::vector<std::string> arguments);
  void begin_anew();
  void stop_listening() noexcept;
  [[nodiscard]] std::vector<std::string> request_of_grant(bool enqueue) const;
  [[nodiscard]] result<void> departed(std::int64_t outcome);

  backend& from_;
  std::string const name_;
  std::string const description_;
  std::string owner_;  ///< empty: the next attempt makes one
  duration const ttl_;
  duration const lock_delay_;
  duration const patience_;
  std::uint32_t const capacity_;
  state state_ = state::apart;
  bool in_doubt_ = false;  ///< a withdrawal may have taken effect already: to be absent is what a repetition shall find
  std::unique_ptr<ear> ear_;  ///< only of one that waits
};

/// How long a request may take where the caller has not said; one of a lease: min(5 s, TTL/4).
inline constexpr duration op_timeout_most = std::chrono::seconds(5);
[[nodiscard]] std::string ms_text(duration d);
/// The keys of `name` in the order of the scripts. Views into `keys`.
[[nodiscard]] std::vector<std::string_view> script_keys(name_keys const& keys);

}  // namespace leasehold::inline v0_1::redis
