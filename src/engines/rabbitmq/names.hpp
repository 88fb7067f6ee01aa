// Decides which queue a lock's name means. Pure.
#pragma once

#include <leasehold/config.hpp>

#include <string>
#include <string_view>

namespace leasehold::inline v0_1::rabbitmq {

/// `<prefix>:<name>`, or where that is longer than AMQP's 255 bytes `<prefix>#<beginning of name>#<SHA-256 of name>`. Injective: the first
/// byte behind the prefix tells the two forms apart, and a prefix has neither ':' nor '#'. The token repeats the whole name.
[[nodiscard]] std::string queue_of(std::string_view prefix, std::string_view name);

/// Where stores ask each other who holds what.
[[nodiscard]] inline std::string exchange_of(std::string_view prefix) { return std::string(prefix) + ".ask"; }

}  // namespace leasehold::inline v0_1::rabbitmq
