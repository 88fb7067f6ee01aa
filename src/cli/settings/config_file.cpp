// Decides what a configuration file may say; whatever else it says is an error with its line and a suggestion.
#include "base/durations.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "settings/settings.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

// toml++ 3.3 asserts in debug builds what a malformed file ("[" and a line break) breaks; without that, an error of its own follows.
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

namespace leasehold::cli {

namespace {

enum class kind { text, url_or_name, span, count, flag };

struct known_key {
  std::string_view name;
  kind what;
  std::string_view choices{};
};
constexpr known_key top_keys[] = {{"default_store", kind::text},
                                  {"namespace", kind::text},
                                  {"output", kind::text, "table|wide|plain|name|json|ndjson"},
                                  {"color", kind::text, "auto|always|never"},
                                  {"op_timeout", kind::span},
                                  {"no_input", kind::flag}};
constexpr known_key store_keys[] = {{"url", kind::text}, {"password_file", kind::text}, {"ca_file", kind::text}};
constexpr known_key lock_keys[] = {{"ttl", kind::span}, {"slots", kind::count}, {"metric", kind::flag}};

class reader {
 public:
  reader(std::string const& origin, setting_map& values, std::vector<lock_rule>& rules)
      : origin_(origin), values_(values), rules_(rules) {}

  void top(toml::table const& table) {
    for (auto const& [key, node] : table) {
      if (key == "store") {
        each_table(node, "store", [&](std::string_view name, toml::table const& t) { store(name, t); });
      } else if (key == "lock") {
        each_table(node, "lock", [&](std::string_view pattern, toml::table const& t) { lock(pattern, t); });
      } else {
        values_.insert_or_assign(std::string{key.str()}, value_of(key, node, top_keys, "", {"store", "lock"}));
      }
    }
  }

 private:
  template <class Each>
  void each_table(toml::node const& node, std::string_view what, Each each) {
    auto const example = what == "store" ? "[store.NAME]" : "[lock.\"PATTERN\"]";
    if (!node.is_table()) throw wrong(node, joined({"\"", what, "\" is a table: ", example}));
    for (auto const& [key, child] : *node.as_table()) {
      if (!child.is_table()) throw wrong(child, joined({"\"", what, ".", key.str(), "\" is a table: ", example}));
      each(key.str(), *child.as_table());
    }
  }

  void store(std::string_view name, toml::table const& table) {
    if (name.find(':') != name.npos || name.empty()) throw wrong(table, "a store's name is not empty and has no colon");
    auto const section = joined({"[store.", name, "]"});
    if (!table.contains("url")) throw wrong(table, joined({section, " has no url"}));
    for (auto const& [key, node] : table) {
      values_.insert_or_assign(joined({"store.", name, ".", key.str()}), value_of(key, node, store_keys, section, {}));
    }
  }

  void lock(std::string_view pattern, toml::table const& table) {
    auto const section = joined({"[lock.\"", pattern, "\"]"});
    auto it = std::find_if(rules_.begin(), rules_.end(), [&](auto const& r) { return r.pattern == pattern; });
    if (it == rules_.end()) it = rules_.insert(it, lock_rule{std::string{pattern}, {}});
    for (auto const& [key, node] : table) {
      it->values.insert_or_assign(std::string{key.str()}, value_of(key, node, lock_keys, section, {}));
    }
  }

  template <std::size_t N>
  setting value_of(toml::key const& key, toml::node const& node, known_key const (&known)[N], std::string_view section,
                   std::vector<std::string_view> tables) const {
    auto const it = std::find_if(known, known + N, [&](known_key const& k) { return k.name == key.str(); });
    if (it != known + N) return {checked(*it, node), where(node)};
    auto names = std::move(tables);
    for (auto const& k : known) names.push_back(k.name);
    auto const near = nearest(key.str(), names);
    throw bad_config(joined({line(key.source().begin.line), ": unknown key \"", printable(key.str()), "\"",
                             section.empty() ? "" : " in ", section}),
                     near.empty() ? "leasehold.toml(5) lists them" : joined({"did you mean ", near, "?"}));
  }

  std::string checked(known_key const& key, toml::node const& node) const {
    auto const text = node.value<std::string>();
    if (node.is_string() && key.what == kind::text) {
      auto const choices = split(key.choices, '|');
      bool const known = key.choices.empty() || std::find(choices.begin(), choices.end(), *text) != choices.end();
      if (known) return *text;
      throw wrong(node, joined({key.name, " is one of ", key.choices, ", not \"", printable(*text), "\""}));
    }
    if (node.is_string() && key.what == kind::span && parse_duration(*text)) return *text;
    if (node.is_integer() && key.what == kind::span) {
      auto seconds = std::to_string(*node.value<std::int64_t>()) + "s";
      if (parse_duration(seconds)) return seconds;  // neither negative nor too long
    }
    if (node.is_integer() && key.what == kind::count) {
      auto const count = *node.value<std::int64_t>();
      if (count >= 1 && count < 0xffffffffLL) return std::to_string(count);
    }
    if (node.is_boolean() && key.what == kind::flag) return *node.value<bool>() ? "true" : "false";
    throw wrong(node, joined({key.name, " is ", wanted(key.what)}));
  }

  static std::string_view wanted(kind what) {
    switch (what) {
      case kind::span:
        return "a time span such as \"30s\"";
      case kind::count:
        return "a whole number of at least 1";
      case kind::flag:
        return "true or false";
      default:
        return "a string";
    }
  }

  std::string line(toml::source_index number) const { return joined({origin_, ":", std::to_string(number)}); }
  std::string where(toml::node const& node) const { return line(node.source().begin.line); }
  problem wrong(toml::node const& node, std::string_view text) const {
    return bad_config(joined({where(node), ": ", text}), "leasehold.toml(5)");
  }

  std::string const& origin_;
  setting_map& values_;
  std::vector<lock_rule>& rules_;
};

}  // namespace

void read_config_text(std::string_view text, std::string const& origin, setting_map& values,
                      std::vector<lock_rule>& rules) {
  try {
    auto const table = toml::parse(text, origin);
    reader{origin, values, rules}.top(table);
  } catch (toml::parse_error const& e) {
    throw bad_config(joined({origin, ":", std::to_string(e.source().begin.line), ": ", e.description()}),
                     "leasehold.toml(5)");
  }
}

std::optional<std::string> read_small_file(std::string const& path) {
  constexpr std::size_t size_max_bytes = 1 << 20;
  int const fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
  std::string text;
  ssize_t n = fd < 0 ? -1 : 1;
  char part[4096];
  while (n > 0 && text.size() <= size_max_bytes) {
    n = ::read(fd, part, sizeof part);
    if (n > 0) text.append(part, static_cast<std::size_t>(n));
  }
  int const error = errno;
  if (fd >= 0) ::close(fd);
  if (n < 0)
    throw bad_config(joined({"cannot read ", path, ": ", std::strerror(error)}), "--config none reads no file");
  if (text.size() > size_max_bytes) throw bad_config(joined({path, " is larger than 1 MiB"}));
  return text;
}

}  // namespace leasehold::cli
