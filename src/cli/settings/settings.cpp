// Decides which setting wins.
#include "settings/settings.hpp"

#include "base/durations.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"

#include <leasehold/store.hpp>

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace leasehold::cli {

namespace {

struct source {
  std::string_view key;
  std::string_view flag;
  char const* variable;
};
constexpr source sources[] = {
    {"store", "store", "LEASEHOLD_STORE"},
    {"namespace", "namespace", "LEASEHOLD_NAMESPACE"},
    {"output", "output", "LEASEHOLD_OUTPUT"},
    {"color", "color", "LEASEHOLD_COLOR"},
    {"op_timeout", "op-timeout", "LEASEHOLD_OP_TIMEOUT"},
    {"no_input", "no-input", "LEASEHOLD_NO_INPUT"},
};

char const* variable(char const* name) {
  auto const* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

std::string user_file() {
  if (auto const* xdg = variable("XDG_CONFIG_HOME")) return joined({xdg, "/leasehold/config.toml"});
  if (auto const* home = variable("HOME")) return joined({home, "/.config/leasehold/config.toml"});
  return {};
}

bool is_true(char const* value) { return value != nullptr && std::string_view{value} != "0"; }

}  // namespace

class settings_reader {
 public:
  explicit settings_reader(arguments const& given) : given_(given) {}

  settings run() {
    files();
    for (auto const& s : sources) {
      if (auto const* value = variable(s.variable)) put(s.key, value, s.variable);
    }
    for (auto const& s : sources) {
      if (given_.has(s.flag)) put(s.key, given_.get(s.flag), joined({"flag --", s.flag}));
    }
    if (given_.has("no-input")) put("no_input", "true", "flag --no-input");
    if (given_.has("no-color")) put("color", "never", "flag --no-color");
    if (given_.has("json")) put("output", "json", "flag --json");
    check_store_variable();
    return std::move(out_);
  }

 private:
  void put(std::string_view key, std::string_view value, std::string_view origin) {
    out_.values_.insert_or_assign(std::string{key}, setting{std::string{value}, std::string{origin}});
  }

  /// Least important first: what is read later wins.
  void files() {
    std::string_view only = given_.get("config");
    if (!given_.has("config") && variable("LEASEHOLD_CONFIG") != nullptr) only = variable("LEASEHOLD_CONFIG");
    if (only == "none") return;
    if (!only.empty()) {
      if (!file(std::string{only})) {
        throw bad_config(joined({"no configuration file ", printable(only)}), "--config none reads none");
      }
      return;
    }
    file("/etc/leasehold/config.toml");
    if (auto const user = user_file(); !user.empty()) file(user);
    if (given_.has("project") || is_true(variable("LEASEHOLD_PROJECT"))) file("./leasehold.toml");
  }

  bool file(std::string const& path) {
    auto const text = read_small_file(path);
    if (!text) return false;
    read_config_text(*text, path, out_.values_, out_.rules_);
    out_.files_.insert(out_.files_.begin(), path);
    return true;
  }

  /// A job's LEASEHOLD_STORE has its secrets removed; to fall back to another store silently would lock in the wrong place.
  void check_store_variable() const {
    auto const* store = out_.find("store");
    if (store == nullptr || store->origin != "LEASEHOLD_STORE" || store->value.find("***") == std::string::npos) return;
    throw bad_config("LEASEHOLD_STORE comes from the surrounding job, with its password removed",
                     "name the store: -S NAME, or a [store.NAME] with a password_file");
  }

  arguments const& given_;
  settings out_;
};

settings settings::load(arguments const& given) { return settings_reader{given}.run(); }

setting const* settings::find(std::string_view key) const noexcept {
  auto const it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

std::string settings::get(std::string_view key) const {
  auto const* found = find(key);
  return found != nullptr ? found->value : std::string{};
}

std::optional<duration> settings::op_timeout() const {
  auto const* found = find("op_timeout");
  if (found == nullptr) return {};
  return duration_or_throw(joined({found->origin, " (op_timeout)"}), found->value);
}

setting const* settings::rule_value(std::string_view name, std::string_view key) const {
  lock_rule const* best = nullptr;
  std::string const text{name};
  for (auto const& rule : rules_) {
    if (::fnmatch(rule.pattern.c_str(), text.c_str(), 0) != 0) continue;
    if (best == nullptr || rule.pattern.size() >= best->pattern.size()) best = &rule;
  }
  if (best == nullptr) return nullptr;
  auto const it = best->values.find(std::string{key});
  return it == best->values.end() ? nullptr : &it->second;
}

std::optional<duration> settings::ttl_of(std::string_view name) const {
  auto const* value = rule_value(name, "ttl");
  return value == nullptr ? std::nullopt : parse_duration(value->value);  // the reader has checked it
}

std::optional<std::uint32_t> settings::slots_of(std::string_view name) const {
  auto const* value = rule_value(name, "slots");
  if (value == nullptr) return {};
  std::uint32_t slots = 0;
  std::from_chars(value->value.data(), value->value.data() + value->value.size(), slots);
  return slots;
}

store_choice settings::store() const {
  if (auto const* given = find("store")) return resolve_store(given->value, given->origin);
  if (auto const* configured = find("default_store")) return resolve_store(configured->value, configured->origin);
  return {"local:", "local:", "default"};
}

store_choice settings::resolve_store(std::string_view word, std::string_view origin) const {
  if (word.find(':') != word.npos) return {std::string{word}, redacted(word), std::string{origin}};
  auto const key = joined({"store.", word, "."});
  if (auto const* url = find(key + "url")) {
    return {with_credentials(url->value, find(key + "password_file"), find(key + "ca_file")), std::string{word},
            std::string{origin}};
  }
  std::vector<std::string_view> names;
  for (auto const& [known, value] : values_) {
    if (!known.starts_with("store.") || !known.ends_with(".url")) continue;
    names.push_back(std::string_view{known}.substr(6, known.size() - 10));
  }
  auto const near = nearest(word, names);
  throw bad_config(joined({"no store is called \"", printable(word), "\" (", origin, ")"}),
                   near.empty() ? "give a URL such as local:, or define [store.NAME] url = \"…\" in the configuration"
                                : joined({"did you mean -S ", near, "?"}));
}

std::vector<std::pair<std::string, setting>> settings::listing() const {
  std::vector<std::pair<std::string, setting>> out;
  for (auto const& [key, value] : values_) {
    bool const url = key.ends_with(".url") ||
                     ((key == "store" || key == "default_store") && value.value.find(':') != std::string::npos);
    out.emplace_back(key, setting{url ? redacted(value.value) : value.value, value.origin});
  }
  if (find("store") == nullptr && find("default_store") == nullptr) {
    out.emplace_back("default_store", setting{"local:", "default"});
  }
  for (auto const& rule : rules_) {
    for (auto const& [key, value] : rule.values) {
      out.emplace_back(joined({"lock.\"", rule.pattern, "\".", key}), value);
    }
  }
  std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.first < b.first; });
  return out;
}

}  // namespace leasehold::cli
