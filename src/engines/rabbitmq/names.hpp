// Decides which queue a lock's name means. Pure.
#pragma once

#include <leasehold/config.hpp>

#include <string>
#include <string_view>

namespace leasehold::inline v0_1::rabbitmq {

/// `<prefix>:<name>`, or where that is longer than AMQP's 255 bytes `<prefix>#<beginning of name>#<SHA-256 of name>`. Injective: the first
/// byte behind the prefix tells the two forms apart, and a prefix has neither ':' nor '#'. The token repeats the whole name.
[[nodiscard]] std::string queue_of(std::string_view prefix, std::string_view name);

/// What the first users of `queue` take turns by.
[[nodiscard]] inline std::string latch_of(std::string_view prefix, std::string queue) {
  queue.insert(prefix.size(), "!");
  constexpr std::size_t queue_bytes_max = 255;
  if (queue.size() > queue_bytes_max) queue.pop_back();
  return queue;
}

/// Where stores ask each other who holds what.
[[nodiscard]] inline std::string exchange_of(std::string_view prefix) { return std::string(prefix) + ".ask"; }

}  // namespace leasehold::inline v0_1::rabbitmq
