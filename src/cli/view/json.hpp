// Decides how JSON leaves the program: ordered members, valid UTF-8 always, "schema" and "kind" first.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace leasehold::cli {

using json_value = nlohmann::ordered_json;

/// {"schema":"leasehold/v1","kind":kind}
[[nodiscard]] inline json_value document(std::string_view kind) {
  return json_value{{"schema", "leasehold/v1"}, {"kind", kind}};
}
/// One line with its newline; bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] inline std::string one_line(json_value const& value) {
  return value.dump(-1, ' ', false, json_value::error_handler_t::replace) + "\n";
}

}  // namespace leasehold::cli
