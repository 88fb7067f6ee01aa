// Decides which benchmarks there are; each returns the rows of its id and of ids below it.
#pragma once

#include "harness.hpp"

namespace bench {

std::vector<row> pair_mutex(settings const& how);
std::vector<row> pair_by_name(settings const& how);
std::vector<row> pair_shared(settings const& how);
std::vector<row> handoff(settings const& how);
std::vector<row> waiters(settings const& how);
std::vector<row> held(settings const& how);
/// One run with 10,000 leases on the store `url`: {bytes per lease, CPU in percent of one core}. To be called in a child.
series hold_many(std::string const& url, std::chrono::seconds window);
std::vector<row> kill_holder(settings const& how);
std::vector<row> startup(settings const& how);
std::vector<row> election_failover(settings const& how);

// Where hiredis is, the peer of all of these.
std::vector<row> redis_pair(settings const& how);
std::vector<row> redis_threads(settings const& how);
std::vector<row> redis_asio(settings const& how);
std::vector<row> redis_throughput(settings const& how);
std::vector<row> redis_handoff(settings const& how);
std::vector<row> redis_fairness(settings const& how);
std::vector<row> redis_held(settings const& how);
std::vector<row> redis_takeover(settings const& how);
std::vector<row> redis_faults(settings const& how);
std::vector<row> redis_election_failover(settings const& how);
std::vector<row> redlock_pair(settings const& how);
std::vector<row> redlock_throughput(settings const& how);
std::vector<row> redlock_one_frozen(settings const& how);
std::vector<row> redlock_takeover(settings const& how);

// Where libcurl is, the peer of these.
std::vector<row> cosmos_pair(settings const& how);
std::vector<row> cosmos_ru(settings const& how);

}  // namespace bench
