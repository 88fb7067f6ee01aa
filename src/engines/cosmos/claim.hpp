// Decides how one contender asks, renews and leaves: each verb is one conditional write of the lock's document.
#pragma once

#include "engines/cosmos/backend.hpp"

#include <optional>
#include <string>

namespace leasehold::inline v0_1::cosmos {

/// How often a write is begun anew because somebody else's came first.
inline constexpr int rounds_max = 6;

class cosmos_claim final : public spi::claim {
 public:
  cosmos_claim(backend& from, spi::claim_spec const& spec);

  spi::task<result<spi::answer>> attempt() override { return ask(); }
  spi::task<result<spi::answer>> attempt_once() override { return ask(); }
  spi::task<result<duration>> renew() override;
  spi::task<result<void>> withdraw(duration hold_off) override;
  spi::task<result<std::string>> detach() override;

  /// Takes up what `ticket` names.
  spi::task<result<spi::granted>> take_over(std::string ticket);
  /// How long a request of its may take.
  [[nodiscard]] duration patience() const noexcept { return patience_; }

 private:
  enum class state : std::uint8_t {
    apart,  ///< nothing of it is in the container
    holding,
    in_doubt,  ///< a write that would make it hold may have been carried out, or be under way
  };
  /// A write that was not answered, and what it was conditional on.
  struct doubt {
    std::string etag;  ///< empty: on there being no document
  };
  /// What a conditional write came to.
  enum class written : std::uint8_t { done, conflict, missing };

  spi::task<result<spi::answer>> ask();
  spi::task<result<written>> write(document next, time_point until);
  spi::task<result<written>> erase(document now, time_point until);
  spi::task<result<std::uint64_t>> floor(document const& base, time_point until);
  spi::task<result<bool>> rule_out(found const& now, time_point until);
  spi::task<result<bool>> leave(document now, duration hold_off, time_point until);
  [[nodiscard]] result<spi::answer> held(document d, time_point sent_at);
  [[nodiscard]] result<void> absent(found const& now, time_point at);
  [[nodiscard]] spi::busy refused(refusal no) const;
  void begin_anew();

  backend& from_;
  std::string const name_;
  std::string const id_;
  entry const self_;  ///< what the document says of it; owner and token apart
  leasehold::mode const mode_;
  duration const patience_;
  std::string owner_;
  state state_ = state::apart;
  document last_;            ///< as it was written last, while holding
  time_point good_until_{};  ///< what was granted last, on our clock
  std::optional<doubt> doubt_;
  bool left_in_doubt_ =
      false;  ///< a withdrawal may have taken effect already: to be absent is what a repetition shall find
  int refusals_ = 0;
};

}  // namespace leasehold::inline v0_1::cosmos
