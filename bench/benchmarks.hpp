// Decides which benchmarks there are; each returns the rows of its id and of ids below it.
#pragma once

#include "harness.hpp"

namespace bench {

std::vector<row> pair_mutex(settings const& how);
std::vector<row> pair_by_name(settings const& how);
std::vector<row> handoff(settings const& how);
std::vector<row> waiters(settings const& how);
std::vector<row> held(settings const& how);
std::vector<row> kill_holder(settings const& how);
std::vector<row> startup(settings const& how);

}  // namespace bench
