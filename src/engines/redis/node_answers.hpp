// Decides what a node's reply means. Pure.
#pragma once

#include "engines/redis/resp.hpp"
#include "engines/redis/settings.hpp"
#include "spi/node.hpp"

namespace leasehold::inline v0_1::redis {

/// What the node answered to the ask script. `now`: when the reply came.
[[nodiscard]] result<spi::node_answer> node_answer_of(reply const& r, time_point now, settings const& where);
[[nodiscard]] result<spi::node_answer> adoption_of(reply const& r, settings const& where);
/// 1 or 0.
[[nodiscard]] result<bool> truth_of(reply const& r, settings const& where);
[[nodiscard]] result<spi::node::standing> standing_of(reply const& r, settings const& where);
/// Done, or which error.
[[nodiscard]] result<void> done_of(reply const& r, settings const& where);

}  // namespace leasehold::inline v0_1::redis
