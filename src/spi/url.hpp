// Decides how a store URL is read: scheme, authority, path, query; percent-decoding; redaction. Total: never throws on bad input.
#pragma once

#include <leasehold/result.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leasehold::inline v0_1::spi {

/// A secret: prints as `***` everywhere; `reveal` is the one way to its text.
class secret {
 public:
  secret() = default;
  explicit secret(std::string text) : text_(std::move(text)) {}
  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  [[nodiscard]] std::string const& reveal() const noexcept { return text_; }

 private:
  std::string text_;
};

struct endpoint {
  std::string host;        ///< IPv6 without brackets
  std::uint16_t port = 0;  ///< 0: the scheme's default
};

struct url {
  std::string scheme;  ///< lower case
  std::string user;    ///< decoded
  secret password;
  std::vector<endpoint> hosts;                             ///< of "//h1,h2:1,h3"; empty without authority
  std::string path;                                        ///< decoded; "" or what follows
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order; keys may repeat

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const;
  [[nodiscard]] std::string redacted() const;
};

/// errc::bad_option naming the offending part.
[[nodiscard]] result<url> parse_url(std::string_view text);
/// Fails, naming the key and the nearest known one, if the query has a key outside `known` and the keys common to all engines
/// (`lazy`, `require`).
[[nodiscard]] result<void> check_query(url const& u, std::initializer_list<std::string_view> known);
/// "500ms", "30s", "5m", "2h", "1d", or a bare number of seconds.
[[nodiscard]] result<duration> parse_duration(std::string_view text);

/// An engine's entry points; `src/engines/builtin.cpp` lists them by scheme.
struct engine_entry {
  std::string_view scheme;
  result<struct opened> (*open)(url const&, bool lazy);
  result<void> (*initialize)(url const&);
  /// As one of several nodes of which a majority decides; null: it cannot be one. No I/O.
  result<std::shared_ptr<class node>> (*open_node)(url const&, struct node_terms const&) = nullptr;
};
[[nodiscard]] std::vector<engine_entry> const& builtin_engines();

}  // namespace leasehold::inline v0_1::spi
