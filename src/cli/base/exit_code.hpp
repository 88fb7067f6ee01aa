// Decides the exit codes: a promise, listed in leasehold-exit-codes(7) and pinned by golden tests.
#pragma once

namespace leasehold::cli::exit_code {

inline constexpr int done = 0;
inline constexpr int answered_no = 1;  ///< never of `run`
inline constexpr int usage = 64;
inline constexpr int unreachable = 69;
inline constexpr int internal = 70;
inline constexpr int os_refused = 71;
inline constexpr int busy = 75;
inline constexpr int not_permitted = 77;
inline constexpr int misconfigured = 78;
inline constexpr int lost = 79;
inline constexpr int max_runtime = 124;
inline constexpr int broken = 125;  ///< supervision ended before the job: its result is unknown
inline constexpr int cannot_execute = 126;
inline constexpr int not_found = 127;
inline constexpr int by_signal = 128;  ///< plus the signal's number

}  // namespace leasehold::cli::exit_code
