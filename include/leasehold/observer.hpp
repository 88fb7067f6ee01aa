// Decides what a program can watch its own leases do.
#pragma once

#include <leasehold/clock.hpp>
#include <leasehold/info.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <system_error>

namespace leasehold::inline v0_1 {

enum class event_kind {
  waiting,   ///< somebody else holds: `holder`, `ahead`; told again when either changes
  acquired,  ///< `took` = from the call to the grant
  renewed,   ///< `took` = the renewal's round trip
  jeopardy,  ///< a renewal failed; the lease is still good until `deadline`
  lost,      ///< final; `code` says why
  released,  ///< `took` = how long it was held; `code` tells a failed release
  evicted,   ///< an operator took it
};

struct event {
  event_kind kind{};
  std::string name;
  std::optional<std::uint64_t> token;
  std::optional<holder_info> holder;
  std::optional<std::uint32_t> ahead;
  time_point deadline{};
  duration took{};
  std::error_code code;
};

/// Override and hand to `store::observe`. Called one event at a time on the one thread of the process for events, never under a
/// lock of ours, never on a thread that renews or tells losses: it may throw (swallowed, counted), call into the store, or block,
/// which keeps the observers of other stores of the process waiting, too. The queue before it is bounded (1024 per store); what
/// does not fit is dropped and counted (`store::events_dropped`).
class LEASEHOLD_API observer {
 public:
  observer() = default;
  observer(observer const&) = delete;
  observer& operator=(observer const&) = delete;
  virtual ~observer();
  virtual void on_event(event const& what) = 0;
};

}  // namespace leasehold::inline v0_1
