// Decides which setting wins: flags, LEASEHOLD_* variables, ./leasehold.toml (on request), the user's file, the system's file.
#pragma once

#include "base/options.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leasehold::cli {

struct setting {
  std::string value;
  std::string origin;  ///< "flag --store", "LEASEHOLD_STORE", "/etc/leasehold/config.toml:3", "default"
};

/// One [lock."pattern"] table. The longest matching pattern applies to a name, and no other.
struct lock_rule {
  std::string pattern;
  std::map<std::string, setting> values;  ///< ttl, slots, metric
};

/// The store a command works on.
struct store_choice {
  std::string url;    ///< may contain a secret: for leasehold::open only
  std::string label;  ///< its name, or its redacted URL: for every print
  std::string origin;
};

using setting_map = std::map<std::string, setting, std::less<>>;

class settings {
 public:
  /// Reads the files lazily needed for `given`. Throws `problem`: 78 with file:line, 64 for a bad flag value.
  [[nodiscard]] static settings load(arguments const& given);

  [[nodiscard]] setting const* find(std::string_view key) const noexcept;
  [[nodiscard]] std::string get(std::string_view key) const;
  [[nodiscard]] std::optional<duration> op_timeout() const;
  /// What the rule for `name` says; absent without a rule.
  [[nodiscard]] std::optional<duration> ttl_of(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint32_t> slots_of(std::string_view name) const;

  /// -S, LEASEHOLD_STORE, default_store, else "local:". Throws `problem` (78) for a name no file defines.
  [[nodiscard]] store_choice store() const;
  /// `word` as a URL (it has a colon) or as the name of a [store.NAME].
  [[nodiscard]] store_choice resolve_store(std::string_view word, std::string_view origin) const;

  /// Everything in effect, secrets redacted, sorted by key.
  [[nodiscard]] std::vector<std::pair<std::string, setting>> listing() const;
  /// The files read, in the order in which they win.
  [[nodiscard]] std::vector<std::string> const& files() const noexcept { return files_; }

 private:
  friend class settings_reader;
  [[nodiscard]] setting const* rule_value(std::string_view name, std::string_view key) const;

  setting_map values_;
  std::vector<lock_rule> rules_;
  std::vector<std::string> files_;
};

/// One file's content, merged under `values` and `rules`. `origin` is how the file is called in messages.
void read_config_text(std::string_view text, std::string const& origin, setting_map& values,
                      std::vector<lock_rule>& rules);

/// `url` with the password of `password_file` put into its authority and `ca_file` into its query.
[[nodiscard]] std::string with_credentials(std::string url, setting const* password_file, setting const* ca_file);

/// A whole small file; nothing when it does not exist. Throws `problem` (78) when it cannot be read.
[[nodiscard]] std::optional<std::string> read_small_file(std::string const& path);

}  // namespace leasehold::cli
