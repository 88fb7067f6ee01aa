// Decides under which keys a lock and what belongs to it are kept. Pure.
#pragma once

#include <leasehold/config.hpp>

#include <string>
#include <string_view>

namespace leasehold::inline v0_1::redis {

inline constexpr std::string_view guard_key = "lh:guard";
inline constexpr std::string_view index_key = "lh:index";
/// What the lock's own key holds when nobody of ours owns it alone.
inline constexpr std::string_view held_off_value = "lh:off";
inline constexpr std::string_view shared_prefix = "lh:shared:";

/// Keys that begin so are leasehold's own; a lock's name must not.
[[nodiscard]] inline bool is_reserved(std::string_view name) noexcept { return name.starts_with("lh:"); }

/// True if Redis Cluster hashes a part of `name`: what stands between its first '{' and the next '}'.
[[nodiscard]] inline bool has_hash_tag(std::string_view name) noexcept {
  auto const open = name.find('{');
  if (open == std::string_view::npos) return false;
  auto const close = name.find('}', open + 1);
  return close != std::string_view::npos && close > open + 1;
}

/// `kind`: one of those below, or 'r', a completion. Injective: the two forms differ in the byte behind `kind`. Same slot as the name's own key.
[[nodiscard]] inline std::string side_key(char kind, std::string_view name) {
  std::string out = "lh:";
  out.push_back(kind);
  if (has_hash_tag(name)) return out.append(":").append(name);
  return out.append("{").append(name).append("}");
}

/// The keys of one name, in the order in which scripts take them.
struct name_keys {
  std::string lock;
  std::string line;      ///< sorted set: waiters by arrival
  std::string waiters;   ///< hash: what each waits for
  std::string shared;    ///< sorted set: those who hold together, by expiry
  std::string metadata;  ///< hash: who they are

  explicit name_keys(std::string_view name)
      : lock(name),
        line(side_key('q', name)),
        waiters(side_key('w', name)),
        shared(side_key('s', name)),
        metadata(side_key('m', name)) {}
};

}  // namespace leasehold::inline v0_1::redis
