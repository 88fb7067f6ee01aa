// Decides how instants of leasehold::clock are shown as times of day.
#include "view/wall_clock.hpp"

#include <cstdio>
#include <ctime>

namespace leasehold::cli {

namespace {

/// Milliseconds since 1970 of `when`, as the wall clock stands now.
long long wall_ms(time_point when) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  auto const now_ms = static_cast<long long>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
  return now_ms + std::chrono::round<std::chrono::milliseconds>(when - clock::now()).count();
}

}  // namespace

std::string time_of_day(time_point when) {
  auto const seconds = static_cast<std::time_t>(wall_ms(when) / 1000);
  auto const today = static_cast<std::time_t>(wall_ms(clock::now()) / 1000);
  std::tm then{};
  std::tm now{};
  ::localtime_r(&seconds, &then);
  ::localtime_r(&today, &now);
  bool const same_day = then.tm_yday == now.tm_yday && then.tm_year == now.tm_year;
  char text[32];
  std::strftime(text, sizeof text, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S", &then);
  return text;
}

std::string iso_utc(time_point when) {
  auto const ms = wall_ms(when);
  auto const seconds = static_cast<std::time_t>(ms / 1000);
  std::tm then{};
  ::gmtime_r(&seconds, &then);
  char text[32];
  auto const length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &then);
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(ms % 1000));
  return text;
}

}  // namespace leasehold::cli
