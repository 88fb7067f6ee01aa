// Decides which states of the world are the same: what no rule can tell apart is encoded alike.
#pragma once

#include "model/world.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace leasehold::test::quorum_model {

/// The least number that anything can still be compared with: no rule knows but larger and smaller, so all are told from here.
template <class V>
int world<V>::base() const {
  int least = 1 << 16;
  auto const look = [&](auto number) {
    if (number != 0) least = std::min(least, static_cast<int>(number));
  };
  for (int n = 0; n < node_count; ++n) {
    auto const at = static_cast<std::size_t>(n);
    least = std::min(least, nodes_[at].counter);
    for (auto const& c : clients_) {
      if (c.wire[at] != message::ask) look(c.value[at]);
      look(c.attempt.counter(at));
    }
  }
  if (std::any_of(nodes_.begin(), nodes_.end(), [](auto const& m) { return !m.votes; })) return 0;
  return std::max(least - 1, 0);
}

template <class V>
encoding world<V>::encoded() const {
  int const from = base();
  auto const told = [from](auto number) { return std::max(static_cast<int>(number) - from, 0); };
  std::array<std::uint64_t, node_count> columns{};
  for (int n = 0; n < node_count; ++n) {
    std::uint64_t column = 0;
    auto const add = [&](int value, unsigned bits) { column = column << bits | static_cast<std::uint64_t>(value); };
    auto const& node = nodes_[n];
    add(told(node.counter), 5), add(node.owner, 3), add(node.epoch, 1), add(node.votes, 1), add(node.was_read, 1);
    for (auto const& c : clients_) {
      auto const at = static_cast<std::size_t>(n);
      add(static_cast<int>(c.wire[n]), 4), add(told(c.value[n]), 5), add(c.releasing[n], 3), add(c.late[n], 3);
      add(static_cast<int>(c.attempt.at(at)), 3), add(told(c.attempt.counter(at)), 5);
    }
    columns[static_cast<std::size_t>(n)] = column;
  }
  std::sort(columns.begin(), columns.end());
  encoding out;
  for (auto const column : columns) out.put(column, 64);
  auto const put = [&](auto value, unsigned bits) { out.put(static_cast<std::uint64_t>(value), bits); };
  int watched = 32;  // tokens up to here are below the floor of every attempt under way
  for (auto const& c : clients_) {
    if (c.doing == phase::trying) watched = std::min(watched, c.floor);
    put(c.doing, 2), put(c.renewing, 1), put(c.tries, 2), put(told(c.floor), 5), put(told(c.hint), 5), put(c.epoch, 1);
    put(c.renewal.kept_by(), 2), put(c.renewal.gone_from(), 2), put(told(c.attempt.token()), 5);
    put(bounds_->hints ? told(c.attempt.largest()) : 0, 5);
  }
  auto const newest = static_cast<int>(std::bit_width(finished_));
  std::uint32_t const told_apart = watched < 32 ? finished_ >> (watched + 1) << (watched + 1) : 0;
  put(told(newest), 5), put(from < 32 ? told_apart >> from : 0, 32);
  put(begun_, 14), put(past_, 14), put(awaited_, 14), put(copied_, 5), put(reads_, 2), put(amnesias_left_, 2);
  return out;
}

}  // namespace leasehold::test::quorum_model
