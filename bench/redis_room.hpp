// Decides where the benchmarks redis/* run: a server of their own on a Unix socket, which holds nothing and knows it.
#pragma once

#include "processes.hpp"
#include "support/redis_server.hpp"

#include <memory>

namespace bench {

/// Throws `skipped` where no server is installed.
[[nodiscard]] std::unique_ptr<leasehold::test::redis_server> start_redis();

}  // namespace bench
