// Decides what happens when leasehold doubts itself: it stops vouching for locks, in release builds too.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace leasehold::inline v0_1::model {

[[noreturn]] inline void assertion_failed(char const* what, char const* file, int line) noexcept {
  std::fprintf(stderr, "leasehold: invariant broken: %s (%s:%d); please report this\n", what, file, line);
  std::abort();
}

}  // namespace leasehold::inline v0_1::model

#define LEASEHOLD_ASSERT(condition) \
  ((condition) ? void() : ::leasehold::model::assertion_failed(#condition, __FILE__, __LINE__))
