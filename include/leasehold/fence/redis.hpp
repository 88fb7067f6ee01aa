// Decides how a Redis server refuses a stale holder's write: check and write are one script, sent by the caller's own client.
//
// The fence is a key in the slot of the data, without expiry, that holds the largest token that has written. It and the data share what
// becomes of their server. REQUIRES of the server that it evicts nothing (`noeviction`, or a `volatile-` policy).
#pragma once

#include <leasehold/result.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leasehold::inline v0_1 {

namespace fence {

/// Goes before the script of a write. The fence's key is the last of KEYS and the token the last of ARGV, so that the write finds its own
/// from 1 on. Tokens are compared as decimal digits: a number of Lua is exact to 2^53 only. Ends with 0 for a stale token.
inline constexpr std::string_view redis_check = R"lua(
local token, seen = ARGV[#ARGV], redis.call('GET', KEYS[#KEYS]) or '0'
if #token < #seen or (#token == #seen and token < seen) then return 0 end
redis.call('SET', KEYS[#KEYS], token)
)lua";

/// The fence's key for the lock `name`, in the slot of `key`: `{tag of key}:leasehold-fence:name`.
[[nodiscard]] inline std::string redis_key(std::string_view name, std::string_view key) {
  auto tag = key;
  if (auto const open = key.find('{'); open != std::string_view::npos) {
    auto const close = key.find('}', open + 1);
    if (close != std::string_view::npos && close > open + 1) tag = key.substr(open + 1, close - open - 1);
  }
  return "{" + std::string(tag) + "}:leasehold-fence:" + std::string(name);
}

/// The words of an EVAL that carries `write` (statements in Lua, without `return`) out unless `token` is stale. Its reply is the integer 1,
/// or 0: a larger token has been seen for `name`, and nothing was changed. REQUIRES: at least one key; in a cluster all in one slot.
[[nodiscard]] inline std::vector<std::string> redis_command(std::string_view name, std::uint64_t token,
                                                            std::string_view write, std::span<std::string const> keys,
                                                            std::span<std::string const> arguments = {}) {
  std::vector<std::string> words{"EVAL", std::string(redis_check) + std::string(write) + "\nreturn 1",
                                 std::to_string(keys.size() + 1)};
  words.insert(words.end(), keys.begin(), keys.end());
  words.push_back(redis_key(name, keys.front()));
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.push_back(std::to_string(token));
  return words;
}

/// Sets KEYS[1] to ARGV[1].
inline constexpr std::string_view redis_set = "redis.call('SET', KEYS[1], ARGV[1])";

}  // namespace fence

/// Carries `write` out on a Redis server, in one step with the check that no token above `token` has been seen for `name`. `write` is Lua as
/// for `fence::redis_command`, for instance `fence::redis_set`. `send` hands a command's words (`std::vector<std::string> const&`) to the
/// caller's client and returns the reply as an integer; what it throws is passed on, and means that the outcome is unknown.
///
/// Errors: errc::lost: a later holder has written, nothing was changed. errc::bad_option: no key. A `write` that fails half-way leaves what it
/// did, and its token: Redis takes nothing back.
template <class Send>
[[nodiscard]] result<void> fenced_update(Send&& send, std::string_view name, std::uint64_t token,
                                         std::string_view write, std::vector<std::string> const& keys,
                                         std::vector<std::string> const& arguments = {}) {
  if (keys.empty())
    return failure(errc::bad_option, diagnostics("a fenced update of no key", "name the keys that are written"));
  if (std::forward<Send>(send)(fence::redis_command(name, token, write, keys, arguments)) != 0) return {};
  return failure(errc::lost, diagnostics("token " + std::to_string(token) + " of " + std::string(name) +
                                             " is stale: a later holder has written since; nothing was changed",
                                         "acquire the lock again, read again, and write with the new token"));
}

}  // namespace leasehold::inline v0_1
