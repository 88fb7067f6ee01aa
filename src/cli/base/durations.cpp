// Decides how time spans are written and read.
#include "base/durations.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace leasehold::cli {

namespace {

using namespace std::chrono_literals;

struct unit {
  std::string_view name;
  duration span;
};
constexpr std::array<unit, 6> units{{{"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}, {"d", 24h}, {"w", 168h}}};

constexpr double longest_seconds = 9.2e9;  // a little less than what 63 bits of nanoseconds hold

/// Takes a number with an optional fraction off the front of `text`.
std::optional<double> take_number(std::string_view& text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return {};  // no sign, no "inf", no ".5"
  double value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{}) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<unit> take_unit(std::string_view& text, bool in_time_part, bool iso) {
  std::size_t length = 0;
  while (length < text.size() && (text[length] < '0' || text[length] > '9') && text[length] != 'T') ++length;
  auto const word = text.substr(0, length);
  text.remove_prefix(length);
  for (auto const& u : units) {
    if (!iso && word == u.name && u.name != "w") return u;
    bool const of_date = u.name == "d" || u.name == "w";
    bool const same = word.size() == 1 && u.name.size() == 1 && (word[0] | 0x20) == u.name[0];
    if (iso && same && of_date != in_time_part) return u;
  }
  return {};
}

std::optional<duration> from_seconds(double seconds) {
  if (!(seconds >= 0 && seconds <= longest_seconds)) return {};
  return duration{static_cast<duration::rep>(std::llround(seconds * 1e9))};
}

}  // namespace

std::optional<duration> parse_duration(std::string_view text) {
  bool const iso = text.size() > 1 && text.front() == 'P';
  if (iso) text.remove_prefix(1);
  bool in_time_part = false;
  double seconds = 0;
  if (text.empty()) return {};
  for (bool first = true; !text.empty(); first = false) {
    if (iso && !in_time_part && text.front() == 'T') {
      in_time_part = true;
      text.remove_prefix(1);
      if (text.empty()) return {};
    }
    auto const number = take_number(text);
    if (!number) return {};
    if (!iso && text.empty() && first) return from_seconds(*number);
    auto const u = take_unit(text, in_time_part, iso);
    if (!u) return {};
    seconds += *number * std::chrono::duration<double>(u->span).count();
  }
  return from_seconds(seconds);
}

std::string in_words(duration span) {
  if (span < duration::zero()) span = duration::zero();
  char text[32];
  auto const s = static_cast<long long>(span / 1s);
  if (span < 1s) {
    std::snprintf(text, sizeof text, "%lldms", static_cast<long long>(span / 1ms));
  } else if (s < 60) {
    std::snprintf(text, sizeof text, "%llds", s);
  } else if (s < 3600) {
    std::snprintf(text, sizeof text, "%lldm%02llds", s / 60, s % 60);
  } else if (s < 86400) {
    std::snprintf(text, sizeof text, "%lldh%02lldm", s / 3600, s / 60 % 60);
  } else {
    std::snprintf(text, sizeof text, "%lldd%02lldh", s / 86400, s / 3600 % 24);
  }
  return text;
}

std::string in_units(duration span) {
  if (span % 1s == duration::zero()) return std::to_string(span / 1s) + "s";
  return std::to_string(in_ms(span)) + "ms";
}

std::int64_t in_ms(duration span) { return std::chrono::duration_cast<std::chrono::milliseconds>(span).count(); }

}  // namespace leasehold::cli
