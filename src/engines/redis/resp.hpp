// Decides how bytes and replies of the Redis protocol (RESP2) become each other. Pure; total on any input.
#pragma once

#include <leasehold/config.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::redis {

struct reply {
  enum class kind : std::uint8_t { nil, status, error, integer, text, array };
  kind what = kind::nil;
  std::int64_t number = 0;
  std::string text;  ///< of status, error, text
  std::vector<reply> items;

  [[nodiscard]] bool is_error() const noexcept { return what == kind::error; }
  [[nodiscard]] bool is_nil() const noexcept { return what == kind::nil; }
  /// The first word of an error: "NOSCRIPT", "ERR" …
  [[nodiscard]] std::string_view error_code() const noexcept;
  /// Item `i`, or nil where there is none: a reply that is shorter than expected reads as nothing.
  [[nodiscard]] reply const& at(std::size_t i) const noexcept;
  /// A number, whether sent as one or as text; nullopt otherwise.
  [[nodiscard]] std::optional<std::int64_t> as_number() const noexcept;
};

/// Appends one command to `out`.
void append_command(std::string& out, std::span<std::string_view const> words);
[[nodiscard]] std::string command(std::initializer_list<std::string_view> words);

/// Bytes in, replies out. Not thread-safe.
class parser {
 public:
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole reply; nullopt: more bytes are needed, or the stream is `broken`.
  [[nodiscard]] std::optional<reply> next();
  /// What came is not RESP2, or is beyond all bounds; nothing more comes out.
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  void clear() noexcept;

 private:
  enum class step { whole, partial, bad };
  step read(reply& out, std::size_t& at, int depth);
  step read_text(reply& out, std::size_t& at, std::int64_t bytes);
  step read_items(reply& out, std::size_t& at, std::int64_t count, int depth);

  std::string buffer_;
  std::size_t begin_ = 0;
  std::size_t needed_ = 0;  // below this many bytes from `begin_` another try would be in vain
  bool broken_ = false;
};

}  // namespace leasehold::inline v0_1::redis
