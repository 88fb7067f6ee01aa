// Decides what an engine must offer to be one of several independent nodes of which a majority decides. A node arbitrates for itself
// alone; what its answers amount to is decided by whoever asks them all.
#pragma once

#include "spi/backend.hpp"
#include "spi/url.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace leasehold::inline v0_1::spi {

/// What the node has granted. Its counter for the name grows with every grant, moved by no clock, and is never below the hint.
struct node_grant {
  std::uint64_t counter = 0;
  std::optional<duration> left{};  ///< of what was adopted
};
struct node_refusal {
  std::uint64_t counter = 0;                 ///< the largest that the node knows
  duration retry_after{};                    ///< as of `busy`
  std::string owner;                         ///< in whose name the lock is held there; empty: by several
  std::optional<std::uint32_t> free_slot{};  ///< of a semaphore: the next one that nobody holds there
  std::shared_ptr<holder_info const> holder;
};
using node_answer = std::variant<node_grant, node_refusal>;

/// One name on one node. Owners are given with each verb: each attempt has one of its own, the same on all nodes; one for a permit
/// ends in "/" and the number of the slot it is for, and two owners of one slot exclude each other. One verb at a time;
/// each ends at `until` at the latest. A verb whose task is destroyed may still take effect.
class node_claim {
 public:
  node_claim() = default;
  node_claim(node_claim const&) = delete;
  node_claim& operator=(node_claim const&) = delete;
  virtual ~node_claim() = default;

  /// `waiting`: for how long already, if a refusal is to be followed by a call when the name becomes free. errc::probation: the
  /// node has forgotten; with a `retry_after()` of zero it waits for `node::rejoin`. errc::mode_mismatch: held as another kind there.
  virtual task<result<node_answer>> ask(std::string_view owner, std::uint64_t hint, std::optional<duration> waiting,
                                        time_point until) = 0;
  /// A grant of what `before` holds, to `owner`; its time runs on. A refusal: `before` does not hold it there.
  virtual task<result<node_answer>> adopt(std::string_view before, std::string_view owner, std::uint64_t hint,
                                          time_point until) = 0;
  /// Raises the name's counter to `token` if it is still `owner`'s; whether it is.
  virtual task<result<bool>> settle(std::string_view owner, std::uint64_t token, time_point until) = 0;
  /// Whether it was still `owner`'s, and so is for another TTL.
  virtual task<result<bool>> renew(std::string_view owner, time_point until) = 0;
  enum class freed : std::uint8_t { ours, nobodys, somebody_elses };
  /// `quiet`: nobody is called. What it was is told; what is not `owner`'s is left alone. No call comes any more.
  virtual task<result<freed>> release(std::string_view owner, duration hold_off, bool quiet, time_point until) = 0;
  /// As `claim::changed`.
  virtual task<wake> called(time_point until) = 0;
};

class node {
 public:
  node() = default;
  node(node const&) = delete;
  node& operator=(node const&) = delete;
  virtual ~node() = default;

  /// For messages, without secrets.
  [[nodiscard]] virtual std::string const& shown() const noexcept = 0;
  virtual std::unique_ptr<node_claim> make_claim(claim_spec const& spec) = 0;
  struct standing {
    bool votes = false;         ///< false: it has forgotten, or is fresh
    std::uint64_t counter = 0;  ///< the largest it knows
    std::string identity;       ///< of the arbiter: two addresses with one identity are one node
  };
  /// Connects if need be. errc::misconfigured: it belongs to another list of nodes.
  virtual task<result<standing>> look(time_point until) = 0;
  /// Its probation is over and the others' largest counter is known: it votes again.
  virtual task<result<void>> rejoin(std::uint64_t counter, time_point until) = 0;
  /// An operator says that nothing is held: it votes, whatever it has forgotten, and belongs to this list.
  virtual task<result<void>> initialize(std::uint64_t counter, time_point until) = 0;

  struct view {
    std::string owner;  ///< empty: held by nobody, or by several
    lock_info info;
  };
  virtual task<result<view>> inspect(std::string_view name, time_point until) = 0;
  /// Names that may be held.
  virtual task<result<std::vector<std::string>>> names(std::string_view prefix, time_point until) = 0;
  /// Takes the name away from `owner`; whether it had it.
  virtual task<result<bool>> evict(std::string_view name, std::string_view owner, bool now, time_point until) = 0;
  /// One request for many; `out[i]` is what `claims[i]->renew(owners[i])` would have said.
  virtual task<result<std::vector<bool>>> renew(std::vector<node_claim*> claims, std::vector<std::string_view> owners,
                                                time_point until) = 0;
  virtual task<std::vector<finding>> diagnose() = 0;
  virtual void close() noexcept = 0;
};

/// What all nodes and clients of one deployment have to agree on.
struct node_terms {
  std::string list;        ///< fingerprint of the list of nodes
  std::string list_shown;  ///< for messages
};

}  // namespace leasehold::inline v0_1::spi
