// Decides how a name too long for a queue is shortened without two becoming one: SHA-256 (FIPS 180-4). Pure.
#pragma once

#include <leasehold/config.hpp>

#include <string>
#include <string_view>

namespace leasehold::inline v0_1::rabbitmq {

/// 64 hexadecimal digits.
[[nodiscard]] std::string sha256(std::string_view text);

}  // namespace leasehold::inline v0_1::rabbitmq
