// Decides how visited states are remembered: 128-bit fingerprints of their exact encodings, in one flat table.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace leasehold::test::quorum_model {

/// A state's exact encoding: fields of stated widths, one behind the other.
class encoding {
 public:
  void put(std::uint64_t value, unsigned bits) {
    if (bits < 64 && value >> bits != 0) overflow_ = true;
    if (used_ + bits > 64) {
      words_.at(++at_) = value;
      used_ = bits;
      return;
    }
    words_[at_] |= value << used_;
    used_ += bits;
  }
  [[nodiscard]] bool overflow() const noexcept { return overflow_; }
  [[nodiscard]] std::span<std::uint64_t const> words() const noexcept { return std::span(words_).first(at_ + 1); }

 private:
  std::array<std::uint64_t, 9> words_{};
  unsigned at_ = 0;
  unsigned used_ = 0;
  bool overflow_ = false;
};

/// INVARIANT: two states are taken for one only if 128 bits agree: below 1 in 10^20 for all runs of this suite together.
class state_set {
 public:
  state_set() : table_(1U << 16) {}
  /// True if it was not there yet.
  bool insert(encoding const& e) {
    auto const f = fingerprint_of(e);
    if (10 * (count_ + 1) > 7 * table_.size()) grow();
    return place(f);
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return count_; }

 private:
  struct fingerprint {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
  };

  static std::uint64_t mixed(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
  }
  static fingerprint fingerprint_of(encoding const& e) noexcept {
    fingerprint f{0x9E3779B97F4A7C15U, 0xD1B54A32D192ED03U};
    for (auto const w : e.words()) {
      f.high = mixed(f.high ^ w);
      f.low = mixed(f.low + w * 0x9FB21C651E98DF25U + 1);
    }
    if (f.high == 0 && f.low == 0) f.low = 1;
    return f;
  }
  bool place(fingerprint f) {
    auto at = f.low & (table_.size() - 1);
    while (table_[at].high != 0 || table_[at].low != 0) {
      if (table_[at].high == f.high && table_[at].low == f.low) return false;
      at = (at + 1) & (table_.size() - 1);
    }
    table_[at] = f;
    ++count_;
    return true;
  }
  void grow() {
    auto old = std::vector<fingerprint>(2 * table_.size());
    old.swap(table_);
    count_ = 0;
    for (auto const& f : old) {
      if (f.high != 0 || f.low != 0) place(f);
    }
  }

  std::vector<fingerprint> table_;
  std::uint64_t count_ = 0;
};

}  // namespace leasehold::test::quorum_model
