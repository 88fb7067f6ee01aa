// Fuzzes configuration files: whatever they say is a setting or an error with its line.
#include "base/durations.hpp"
#include "base/problem.hpp"
#include "fuzz/target.hpp"
#include "settings/settings.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace leasehold;
  using leasehold::fuzz::require;
  cli::setting_map values;
  std::vector<cli::lock_rule> rules;
  try {
    cli::read_config_text(leasehold::fuzz::text_of(data, size), "fuzz.toml", values, rules);
  } catch (cli::problem const& p) {
    require(p.message.find("fuzz.toml") != std::string_view::npos, "the file is named");
    return 0;
  }
  for (auto const& [key, value] : values) {
    require(!key.empty() && value.origin.starts_with("fuzz.toml:"), "every setting knows its line");
    require(key != "op_timeout" || cli::parse_duration(value.value), "a time span can be read again");
  }
  for (auto const& rule : rules) require(!rule.pattern.empty() || rule.values.empty(), "every rule has a pattern");
  return 0;
}
