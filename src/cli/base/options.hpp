// Decides the grammar of the command line: table-driven flags, no abbreviations, a suggestion for every slip.
#pragma once

#include <leasehold/clock.hpp>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leasehold::cli {

struct option {
  std::string_view name;      ///< without the dashes
  char letter = 0;            ///< 0: long form only
  std::string_view argument;  ///< what the value is called in the help; empty: a flag
  std::string_view help;
  std::string_view choices{};  ///< "a|b|c"; empty: anything
};

class invocation;

/// One subcommand, as data: what it takes, what it says of itself, what it does.
struct command {
  std::string_view name;     ///< "config show" has a space
  std::string_view summary;  ///< one line
  std::string_view words;    ///< operands in the usage line, for instance "NAME"
  std::size_t words_min = 0;
  std::size_t words_max = 0;
  bool takes_job = false;  ///< "-- CMD…"
  std::span<option const> options;
  std::string_view about;  ///< paragraphs of the help
  int (*run)(invocation&) = nullptr;
};

/// Accepted before and after every subcommand.
[[nodiscard]] std::span<option const> global_options() noexcept;

/// What was given on one command line. Views live as long as argv.
class arguments {
 public:
  [[nodiscard]] bool has(std::string_view name) const noexcept;
  /// The last one given; empty if none.
  [[nodiscard]] std::string_view get(std::string_view name) const noexcept;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
  /// These throw `problem` (64) naming flag and value.
  [[nodiscard]] std::optional<duration> get_duration(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint64_t> get_number(std::string_view name, std::uint64_t min,
                                                        std::uint64_t max) const;

  std::vector<std::string_view> words;
  char** job = nullptr;  ///< what follows "--", null-terminated; null if there was none

 private:
  friend class parser;
  std::vector<std::pair<std::string_view, std::string_view>> given_;
};

/// `value` of `flag` (as it should be shown) as a time span; throws `problem` (64).
[[nodiscard]] duration duration_or_throw(std::string_view flag, std::string_view value);

struct parsed {
  command const* what = nullptr;  ///< null: none was named
  arguments given;
};

/// Throws `problem` (64) for whatever is not in the tables, and suggests the nearest that is.
[[nodiscard]] parsed parse(int argc, char** argv, std::span<command const* const> commands);

}  // namespace leasehold::cli
