// Decides how JSON from outside is looked at without exceptions: what is absent, or of another type, reads as absent.
#pragma once

#include "engines/cosmos/document.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::cosmos {

using json = nlohmann::json;

/// A discarded value: not JSON.
[[nodiscard]] inline json parse_json(std::string_view text) {
  return json::parse(text.begin(), text.end(), nullptr, false);
}

[[nodiscard]] inline json const* find(json const& in, char const* key) {
  if (!in.is_object()) return nullptr;
  auto const at = in.find(key);
  return at == in.end() ? nullptr : &*at;
}
[[nodiscard]] inline std::optional<std::string> text_in(json const& in, char const* key) {
  auto const* v = find(in, key);
  if (v == nullptr || !v->is_string()) return std::nullopt;
  return *v->get_ptr<json::string_t const*>();
}
/// A whole number from 0 to `number_max`.
[[nodiscard]] inline std::optional<std::uint64_t> number_in(json const& in, char const* key) {
  auto const* v = find(in, key);
  if (v == nullptr || !v->is_number_unsigned()) return std::nullopt;
  auto const n = *v->get_ptr<json::number_unsigned_t const*>();
  return n <= number_max ? std::optional<std::uint64_t>(n) : std::nullopt;
}

}  // namespace leasehold::inline v0_1::cosmos
