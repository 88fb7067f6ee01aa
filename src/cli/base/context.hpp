// Decides what every command starts from: its arguments, the settings, the format of its output, the store.
#pragma once

#include "base/options.hpp"
#include "settings/settings.hpp"

#include <leasehold/store.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace leasehold::cli {

enum class format { table, wide, plain, name, json, ndjson };

/// One run of one command. Settings are read on first use.
class invocation {
 public:
  invocation(command const& what, arguments given) : what_(what), given_(std::move(given)) {}

  [[nodiscard]] command const& what() const noexcept { return what_; }
  [[nodiscard]] arguments const& args() const noexcept { return given_; }
  [[nodiscard]] std::string_view word(std::size_t i) const { return given_.words.at(i); }
  [[nodiscard]] settings const& config();
  [[nodiscard]] format output();
  [[nodiscard]] bool json_wanted() { return output() == format::json || output() == format::ndjson; }
  [[nodiscard]] bool quiet() const noexcept { return given_.has("quiet"); }
  [[nodiscard]] bool verbose() const noexcept { return given_.has("verbose"); }
  /// Whether a person can be asked: a terminal on stdin and stderr, and no --no-input.
  [[nodiscard]] bool may_ask();

  [[nodiscard]] store_choice const& choice();
  [[nodiscard]] leasehold::open_options open_options();
  /// Throws `problem`.
  [[nodiscard]] store open_store();

 private:
  command const& what_;
  arguments given_;
  std::optional<settings> settings_;
  std::optional<store_choice> choice_;
};

/// Data, on stdout, whole. Throws `problem` (71) when it cannot be written.
void emit(std::string_view text);

}  // namespace leasehold::cli
