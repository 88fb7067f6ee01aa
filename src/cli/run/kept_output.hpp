// Decides how `leasehold once` keeps what a job wrote to stdout: collected in an unnamed file, recorded when the job has ended well, and
// written out again, by this call and by every later one.
#pragma once

#include "base/problem.hpp"
#include "run/descriptor.hpp"
#include "run/lease_set.hpp"

#include <leasehold/store.hpp>

#include <optional>
#include <string>

namespace leasehold::cli {

/// Becomes a job's stdout.
class kept_output {
 public:
  /// Throws `problem` (71).
  kept_output();
  [[nodiscard]] int get() const noexcept { return file_.get(); }
  /// At most `most` bytes; what is cut off is told in the last line.
  [[nodiscard]] std::string text(std::size_t most) const;
  /// All of it, to our own stdout, as far as anybody reads it.
  void write_out() const;

 private:
  descriptor file_;
};

/// What was recorded under the plan's key; absent if nothing is remembered. Throws `problem`.
[[nodiscard]] std::optional<std::string> find_kept(run_plan const& plan, store const& where);
/// Records `output` under the plan's key; else why the next call will run the job again.
[[nodiscard]] std::optional<problem> keep(run_plan const& plan, store const& where, lease_set& leases,
                                          kept_output const& output);
/// Says on stderr which attempt before this one did not finish, if one did not.
void tell_previous(run_plan const& plan, lease_set const& leases);

}  // namespace leasehold::cli
