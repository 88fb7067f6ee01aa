// Decides how several names are held as one: all or none, the earliest deadline counts, the loss of one is the loss of all.
#pragma once

#include "run/descriptor.hpp"
#include "run/plan.hpp"
#include "run/report.hpp"

#include <leasehold/lease.hpp>
#include <leasehold/store.hpp>

#include <functional>
#include <list>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace leasehold::cli {

class lease_set {
 public:
  /// `identity` is told to the store as the holder.
  lease_set(run_plan const& plan, store where, std::string identity);

  /// Takes names in order without waiting. True: all are held. False: one is busy (`blocker()`); those before it are kept.
  /// Throws `problem`.
  [[nodiscard]] bool try_all();
  /// Takes the rest, waiting up to `until` (max: without bound). Throws `problem`; LH-CANCELLED on stop, LH-BUSY at `until`.
  /// May run on a thread of its own.
  void wait_for_rest(time_point until, std::stop_token stop);
  /// Who was in the way at `try_all`.
  [[nodiscard]] std::string busy_message() const;
  [[nodiscard]] std::string busy_hint() const;

  /// Readable once some lease is lost. Call after all are held.
  void watch_for_loss();
  [[nodiscard]] int loss_descriptor() const noexcept { return loss_.get(); }

  /// All of them, by the clock.
  [[nodiscard]] bool held() const noexcept;
  [[nodiscard]] time_point deadline() const noexcept;
  [[nodiscard]] std::optional<duration> shortest_ttl() const noexcept { return shortest_ttl_; }
  /// The name of a lease that is gone, with why; empty if none.
  [[nodiscard]] std::string what_is_lost() const;
  [[nodiscard]] std::vector<lease> const& leases() const noexcept { return leases_; }
  [[nodiscard]] std::string const& identity() const noexcept { return identity_; }

  /// As `lease::complete`, of the first.
  void complete(std::string_view result, duration window, std::error_code& ec, diagnostics& details) {
    leases_.front().complete(result, window, ec, &details);
  }
  /// In reverse order. Fills in the report; returns false, with a warning in `trouble`, if one failed.
  bool release_all(run_report& report, std::string& trouble);

 private:
  [[nodiscard]] acquire_options options_for(wanted_lock const& lock) const;
  void add(lease held, wanted_lock const& lock);
  [[noreturn]] void fail(std::error_code code, diagnostics const& details, wanted_lock const& lock) const;

  struct on_loss {
    int fd;
    void operator()() const noexcept;
  };

  run_plan const& plan_;
  store store_;
  std::string identity_;
  std::vector<label> labels_;
  std::vector<lease> leases_;
  std::optional<duration> shortest_ttl_;
  std::optional<holder_info> blocker_;
  descriptor loss_;
  std::list<std::stop_callback<on_loss>> callbacks_;
};

}  // namespace leasehold::cli
