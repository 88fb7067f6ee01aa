// The whole public API but <leasehold/asio.hpp>, <leasehold/fence/postgres.hpp> and <leasehold/fence/sqlite.hpp>, which need what the user
// brings.
#pragma once

#include <leasehold/acquire_operation.hpp>
#include <leasehold/clock.hpp>
#include <leasehold/config.hpp>
#include <leasehold/election.hpp>
#include <leasehold/error.hpp>
#include <leasehold/fence.hpp>
#include <leasehold/fence/redis.hpp>
#include <leasehold/info.hpp>
#include <leasehold/lease.hpp>
#include <leasehold/memory.hpp>
#include <leasehold/multi_lease.hpp>
#include <leasehold/mutex.hpp>
#include <leasehold/observer.hpp>
#include <leasehold/once.hpp>
#include <leasehold/options.hpp>
#include <leasehold/release_operation.hpp>
#include <leasehold/result.hpp>
#include <leasehold/semaphore.hpp>
#include <leasehold/shared_mutex.hpp>
#include <leasehold/store.hpp>
#include <leasehold/traits.hpp>
