// Decides under which id a lock's document is kept. Cosmos DB bans / \ ? # in ids, and URLs, proxies and client libraries quarrel over
// much else, so whatever is no letter, digit, '-' or '_' is escaped; injective, readable, at most three bytes for one. Pure.
#pragma once

#include <leasehold/config.hpp>

#include <string>
#include <string_view>

namespace leasehold::inline v0_1::cosmos {

/// Of documents that are no locks: no escaped name begins so.
inline constexpr std::string_view guard_id = "~guard";
inline constexpr std::string_view doctor_id = "~doctor";
/// Before the name, in the article's dialect: of the document that keeps the token while there is no lock.
inline constexpr std::string_view fence_prefix = "~fence-";

[[nodiscard]] inline bool is_plain_in_id(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// `~` and two hexadecimal digits stand for a byte; a '.' in front is escaped too, so that no id is "." or "..".
[[nodiscard]] inline std::string id_of(std::string_view name) {
  std::string out;
  for (char const c : name) {
    auto const byte = static_cast<unsigned char>(c);
    if (is_plain_in_id(c) && (c != '.' || !out.empty())) {
      out.push_back(c);
    } else {
      out += {'~', "0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]};
    }
  }
  return out;
}

/// True if the name can be an id as it is: the article's convention.
[[nodiscard]] inline bool is_own_id(std::string_view name) { return id_of(name) == name; }

}  // namespace leasehold::inline v0_1::cosmos
