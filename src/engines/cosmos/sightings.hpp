// Decides when a silent holder's time is over, without trusting anybody's clock: an entry whose beat we have watched stand still for its
// TTL and a margin, on our own clock, was not renewed, and its holder knows. Shared by all claims of a store. Where one look has to
// do, the server's own two clocks decide (its date, and when it wrote the document), with a margin of seconds.
#pragma once

#include "engines/cosmos/ledger.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::cosmos {

/// How much the clocks of the service may differ from each other, and the grain of a second that both have.
inline constexpr duration server_margin = std::chrono::seconds(6);

/// Thread-safe. Bounded: what has not been looked at for longest is forgotten first, which costs time and nothing else.
class sightings {
 public:
  /// `d` came with an answer at `at`.
  void see(document const& d, time_point at);
  /// What is left of each entry of `d` at `now`. `server_now`: the server's seconds, never more than they are; 0: unknown.
  [[nodiscard]] time_left judge(document const& d, time_point now, std::int64_t server_now) const;

  /// The document as we wrote it last, if it was free then; at most once.
  [[nodiscard]] std::optional<document> take_free(std::string_view name);
  void keep_free(document d, time_point now);

 private:
  struct mark {
    std::string owner;
    std::uint64_t beat = 0;
    time_point first{};
  };
  struct watched {
    std::vector<mark> marks;
    std::optional<document> free;
    time_point used{};
  };
  watched& at(std::string_view name, time_point now);

  mutable std::mutex guard_;
  std::map<std::string, watched, std::less<>> names_;
};

}  // namespace leasehold::inline v0_1::cosmos
