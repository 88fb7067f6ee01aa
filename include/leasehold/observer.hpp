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

/// Override and hand to `store::observe`. Called one event at a time on one thread of the store's own, never under a lock of
/// ours and never on the thread that renews: it may block, throw (swallowed, counted) or call into the store. The queue before
/// it is bounded (1024); what does not fit is dropped and counted (`store::events_dropped`).
class LEASEHOLD_API observer {
 public:
  observer() = default;
  observer(observer const&) = delete;
  observer& operator=(observer const&) = delete;
  virtual ~observer();
  virtual void on_event(event const& what) = 0;
};

}  // namespace leasehold::inline v0_1
