// Decides what one worker process does.
#pragma once

#include "options.hpp"

namespace demo {

/// Processes files until all are done. Knows of the other workers only what the locks and the manifest tell. Returns
/// the exit code; throws on what it cannot go on after.
int work(options const& o);

}  // namespace demo
