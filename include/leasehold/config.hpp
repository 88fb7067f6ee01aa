// Decides the version, the inline namespace (spelled `leasehold::inline v0_1` in every header) and what is exported.
#pragma once

#define LEASEHOLD_VERSION_MAJOR 0
#define LEASEHOLD_VERSION_MINOR 1
#define LEASEHOLD_VERSION_PATCH 0
#define LEASEHOLD_VERSION_STRING "0.1.0"

#if defined(LEASEHOLD_STATIC) || !(defined(__GNUC__) || defined(__clang__))
#define LEASEHOLD_API
#else
#define LEASEHOLD_API __attribute__((visibility("default")))
#endif
