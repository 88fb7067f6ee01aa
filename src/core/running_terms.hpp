// Decides that within one process the end of a term is told before a later one of the same place begins (ELECT-1).
#pragma once

#include <leasehold/lease.hpp>

#include <string>

namespace leasehold::inline v0_1::detail {

/// A term that runs in this process, from its beginning until it is resigned. The list of them is the process's.
class term_entry {
 public:
  /// `place` names store and name. REQUIRES: `hold` outlives this.
  term_entry(std::string place, lease_state& hold);
  term_entry(term_entry const&) = delete;
  term_entry& operator=(term_entry const&) = delete;
  ~term_entry();

  /// When this returns every earlier term of `place` whose lease is gone has told so; on the thread that tells, at once.
  static void settle(std::string const& place);

 private:
  std::string const place_;
  lease_state& hold_;
};

}  // namespace leasehold::inline v0_1::detail
