// Decides what the nodes' answers to one attempt that failed amount to: busy, and when to look again, or which error. Pure.
#pragma once

#include "spi/node.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace leasehold::inline v0_1::redlock {

class ballot {
 public:
  explicit ballot(std::size_t nodes) : nodes_(nodes) {}

  void granted() noexcept { ++granted_; }
  void refused(spi::node_refusal no) { refusals_.push_back(std::move(no)); }
  void failed(failure why) { failures_.push_back(std::move(why)); }
  /// Held there as another kind of lock, which is in the way like any other.
  void refused(failure mismatch) { mismatches_.push_back(std::move(mismatch)); }

  /// Nodes that granted or refused.
  [[nodiscard]] std::size_t answers() const noexcept { return granted_ + refusals(); }
  [[nodiscard]] std::size_t refusals() const noexcept { return refusals_.size() + mismatches_.size(); }
  /// The slot that most of those name who know one that is free; none of `tried`.
  [[nodiscard]] std::optional<std::uint32_t> free_slot(std::span<std::uint32_t const> tried) const;
  /// It had some of the votes, and perhaps nobody has a majority; or another slot is free. Who had none is called, or looks again soon.
  [[nodiscard]] bool is_split() const;
  /// `again`: when to ask again after a split vote. `url`: for the hint.
  [[nodiscard]] result<spi::answer> verdict(duration again, std::string const& url) const;

 private:
  [[nodiscard]] std::size_t count(errc code) const;
  /// The most refusals in one name.
  [[nodiscard]] std::size_t in_one_name() const;
  [[nodiscard]] spi::answer busy(duration again) const;
  [[nodiscard]] failure forgotten(std::string const& url) const;
  [[nodiscard]] failure missing() const;

  std::size_t nodes_;
  std::size_t granted_ = 0;
  std::vector<spi::node_refusal> refusals_;
  std::vector<failure> mismatches_;
  std::vector<failure> failures_;
};

}  // namespace leasehold::inline v0_1::redlock
