// Decides how a run goes: start the workers, let the accidents happen, watch, judge.
#pragma once

#include "options.hpp"

namespace demo {

/// The whole demo. Returns the exit code; throws what keeps it from starting.
int supervise(options o);
/// Only judges a kept manifest.
int verify(options const& o);

}  // namespace demo
