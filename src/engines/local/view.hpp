// Decides how the tables of a mapped store file are reached. Every index read from the file is checked here: a damaged file may
// make a search come back empty-handed, never read outside the mapping.
#pragma once

#include "engines/local/layout.hpp"
#include "engines/local/sys.hpp"
#include "model/assert.hpp"

#include <string_view>

namespace leasehold::inline v0_1::local {

/// Does not own the mapping.
class view {
 public:
  view() = default;
  view(std::byte* base, geometry const& g) noexcept : base_(base), geometry_(g) {}

  [[nodiscard]] local::geometry const& geometry() const noexcept { return geometry_; }
  [[nodiscard]] local::header& header() const noexcept { return *reinterpret_cast<local::header*>(base_); }

  /// REQUIRES: slot < process_count.
  [[nodiscard]] local::process& process(u32 slot) const noexcept {
    return *at<local::process>(geometry_.processes_at, slot);
  }
  /// REQUIRES: index < shard_count.
  [[nodiscard]] local::shard& shard(u32 index) const noexcept { return *at<local::shard>(geometry_.shards_at, index); }
  [[nodiscard]] static u32 shard_of_hash(u64 hash) noexcept { return static_cast<u32>(hash >> 58); }
  [[nodiscard]] u32 shard_of_record(id record) const noexcept { return (record - 1) / geometry_.slice; }
  /// The head of the chain that a name with this hash is in.
  [[nodiscard]] std::atomic<u32>& bucket(u64 hash) const noexcept {
    return bucket(shard_of_hash(hash), static_cast<u32>(hash) & (geometry_.buckets - 1));
  }
  [[nodiscard]] std::atomic<u32>& bucket(u32 shard, u32 index) const noexcept {
    return *at<std::atomic<u32>>(geometry_.buckets_at, u64{shard} * geometry_.buckets + index);
  }

  // Null for 0 and for what is outside the table.
  [[nodiscard]] local::record* record(id which) const noexcept {
    return which - 1 < geometry_.records ? at<local::record>(geometry_.records_at, which - 1) : nullptr;
  }
  [[nodiscard]] local::seat* seat(id which) const noexcept {
    return which - 1 < seat_count ? at<local::seat>(geometry_.seats_at, which - 1) : nullptr;
  }
  [[nodiscard]] local::block* block(id which) const noexcept {
    return which - 1 < geometry_.blocks ? at<local::block>(geometry_.blocks_at, which - 1) : nullptr;
  }

  // REQUIRES: within the table.
  [[nodiscard]] local::record& record_at(id which) const noexcept {
    return *at<local::record>(geometry_.records_at, which - 1);
  }
  [[nodiscard]] local::seat& seat_at(id which) const noexcept {
    return *at<local::seat>(geometry_.seats_at, which - 1);
  }
  [[nodiscard]] local::block& block_at(id which) const noexcept {
    return *at<local::block>(geometry_.blocks_at, which - 1);
  }

  /// The first record of a shard's slice, and how many of it were ever used.
  [[nodiscard]] id first_record(u32 shard) const noexcept { return shard * geometry_.slice + 1; }
  [[nodiscard]] u32 used_records(u32 shard_index) const noexcept {
    u32 const used = get(shard(shard_index).used);
    return used < geometry_.slice ? used : geometry_.slice;
  }
  [[nodiscard]] u32 used_seats() const noexcept {
    u32 const high = get(header().seat_high);
    return high < seat_count ? high : seat_count;
  }
  [[nodiscard]] u32 used_processes() const noexcept {
    u32 const high = get(header().process_high);
    return high < process_count ? high : process_count;
  }
  [[nodiscard]] u32 used_blocks() const noexcept {
    u32 const high = get(header().block_high);
    return high < geometry_.blocks ? high : geometry_.blocks;
  }

 private:
  template <class T>
  [[nodiscard]] T* at(u64 offset, u64 index) const noexcept {
    return reinterpret_cast<T*>(base_ + offset) + index;
  }

  std::byte* base_ = nullptr;
  local::geometry geometry_;
};

/// Part of the file format.
[[nodiscard]] u64 hash_name(std::string_view name) noexcept;

}  // namespace leasehold::inline v0_1::local
