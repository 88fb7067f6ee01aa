// Decides how a flag's value becomes a number or a time span.
#include "base/durations.hpp"
#include "base/options.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <charconv>

namespace leasehold::cli {

bool arguments::has(std::string_view name) const noexcept {
  return std::any_of(given_.begin(), given_.end(), [&](auto const& each) { return each.first == name; });
}

std::string_view arguments::get(std::string_view name) const noexcept {
  auto const it = std::find_if(given_.rbegin(), given_.rend(), [&](auto const& each) { return each.first == name; });
  return it == given_.rend() ? std::string_view{} : it->second;
}

std::vector<std::string_view> arguments::all(std::string_view name) const {
  std::vector<std::string_view> out;
  for (auto const& [key, value] : given_) {
    if (key == name) out.push_back(value);
  }
  return out;
}

duration duration_or_throw(std::string_view flag, std::string_view value) {
  if (auto const span = parse_duration(value)) return *span;
  throw usage(joined({flag, " is no time span: \"", printable(value), "\""}),
              "write it as 500ms, 30s, 5m, 2h, 1d, PT1H30M, or in seconds; at most 292 years");
}

std::optional<duration> arguments::get_duration(std::string_view name) const {
  if (!has(name)) return {};
  return duration_or_throw(joined({"--", name}), get(name));
}

std::optional<std::uint64_t> arguments::get_number(std::string_view name, std::uint64_t min, std::uint64_t max) const {
  if (!has(name)) return {};
  auto const text = get(name);
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool const good = error == std::errc{} && end == text.data() + text.size() && value >= min && value <= max;
  if (good) return value;
  throw usage(joined({"--", name, " is a number from ", std::to_string(min), " to ", std::to_string(max), ", not \"",
                      printable(text), "\""}));
}

}  // namespace leasehold::cli
