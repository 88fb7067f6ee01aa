// Decides the grammar of the command line.
#include "base/options.hpp"

#include "base/durations.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <charconv>

namespace leasehold::cli {

namespace {

constexpr option globals[] = {
    {"store", 'S', "NAME|URL", "the store to use: a name of the configuration, or a URL (default: local:)"},
    {"namespace", 0, "NS", "put before every lock's name"},
    {"output", 'o', "FORMAT", "how to print", "table|wide|plain|name|json|ndjson"},
    {"json", 0, "", "the same as -o json"},
    {"no-headers", 0, "", "leave out the table's first line"},
    {"quiet", 'q', "", "only errors on stderr"},
    {"verbose", 'v', "", "say more on stderr"},
    {"color", 0, "WHEN", "colour the states", "auto|always|never"},
    {"no-color", 0, "", "the same as --color never"},
    {"no-input", 0, "", "never ask; fail instead"},
    {"config", 0, "FILE|none", "read this configuration file and no other"},
    {"project", 0, "", "also read ./leasehold.toml"},
    {"op-timeout", 0, "DUR", "bound of one exchange with the store (default: 5s, at most a quarter of the TTL)"},
    {"help", 'h', "", "this text"},
    {"version", 0, "", "print the version"},
};

std::string as_flag(option const& o) { return o.letter != 0 ? std::string{'-', o.letter} : joined({"--", o.name}); }

}  // namespace

std::span<option const> global_options() noexcept { return globals; }

class parser {
 public:
  parser(int argc, char** argv, std::span<command const* const> commands)
      : argv_(argv), end_(argv + argc), commands_(commands) {}

  parsed run() {
    ++argv_;
    while (argv_ < end_) {
      std::string_view const word = *argv_++;
      if (word == "--" && out_.what != nullptr) return take_job(), std::move(out_);
      if (word.size() > 2 && word.starts_with("--")) {
        long_flag(word.substr(2));
      } else if (word.size() > 1 && word.front() == '-') {
        letters(word.substr(1));
      } else {
        operand(word);
      }
    }
    check_operands();
    return std::move(out_);
  }

 private:
  void take_job() {
    if (!out_.what->takes_job) {
      while (argv_ < end_) out_.given.words.push_back(*argv_++);
    } else {
      out_.given.job = argv_;
    }
    check_operands();
  }

  void check_operands() const {
    auto const* what = out_.what;
    bool const only_help = out_.given.has("help") || out_.given.has("version");
    if (what == nullptr || only_help) return;
    auto const& words = out_.given.words;
    if (words.size() > what->words_max) {
      auto const hint =
          what->takes_job
              ? joined({"the command goes after --: leasehold ", what->name, " ", what->words, " -- COMMAND"})
              : joined({"usage: leasehold ", what->name, " ", what->words});
      throw usage(joined({"unexpected word \"", printable(words[what->words_max]), "\""}), hint);
    }
    if (words.size() < what->words_min) {
      throw usage(joined({what->name, " needs ", what->words}), joined({"leasehold help ", what->name}));
    }
  }

  void operand(std::string_view word) {
    if (out_.what != nullptr) return out_.given.words.push_back(word);
    for (auto const* c : commands_) {
      auto const space = c->name.find(' ');
      if (c->name.substr(0, space) != word) continue;
      if (space == c->name.npos) return void(out_.what = c);
      if (argv_ < end_ && c->name.substr(space + 1) == *argv_) return void((++argv_, out_.what = c));
    }
    throw unknown_command(word);
  }

  problem unknown_command(std::string_view word) const {
    std::vector<std::string_view> names;
    for (auto const* c : commands_) {
      auto const space = c->name.find(' ');
      if (space != c->name.npos && c->name.substr(0, space) == word) {
        return usage(joined({"\"", word, "\" needs a second word"}), joined({"leasehold ", c->name}));
      }
      names.push_back(c->name);
    }
    auto const near = nearest(word, names);
    return usage(joined({"unknown command \"", printable(word), "\""}),
                 near.empty() ? "leasehold help" : joined({"did you mean: leasehold ", near}));
  }

  template <class Match>
  option const* find(Match match) const {
    auto in = [&](std::span<option const> table) -> option const* {
      auto const it = std::find_if(table.begin(), table.end(), match);
      return it == table.end() ? nullptr : &*it;
    };
    auto const* own = out_.what != nullptr ? in(out_.what->options) : nullptr;
    return own != nullptr ? own : in(globals);
  }

  void long_flag(std::string_view word) {
    auto const equals = word.find('=');
    auto const name = word.substr(0, equals);
    auto const* o = find([&](option const& each) { return each.name == name; });
    if (o == nullptr) throw unknown_flag(name);
    if (o->argument.empty()) {
      if (equals != word.npos) throw usage(joined({"--", name, " takes no value"}));
      return add(*o, {});
    }
    add(*o, equals != word.npos ? word.substr(equals + 1) : next_value(*o));
  }

  void letters(std::string_view word) {
    while (!word.empty()) {
      char const letter = word.front();
      auto const* o = find([&](option const& each) { return each.letter != 0 && each.letter == letter; });
      if (o == nullptr) throw unknown_flag(word.substr(0, 1));
      word.remove_prefix(1);
      if (o->argument.empty()) {
        add(*o, {});
        continue;
      }
      return add(*o, word.empty() ? next_value(*o) : word);
    }
  }

  problem unknown_flag(std::string_view name) const {
    std::vector<std::string_view> names;
    for (auto const& o : globals) names.push_back(o.name);
    if (out_.what != nullptr) {
      for (auto const& o : out_.what->options) names.push_back(o.name);
    }
    auto const near = name.size() > 1 ? nearest(name, names) : std::string_view{};
    auto const message = joined({"unknown flag ", name.size() > 1 ? "--" : "-", printable(name),
                                 out_.what == nullptr ? "" : " of leasehold ", out_.what ? out_.what->name : ""});
    if (!near.empty()) return usage(message, joined({"did you mean --", near, "?"}));
    return usage(message, out_.what ? joined({"leasehold help ", out_.what->name})
                                    : "flags of a command go after it: leasehold COMMAND --help");
  }

  std::string_view next_value(option const& o) {
    if (argv_ == end_) throw usage(joined({as_flag(o), " needs a value: ", o.argument}));
    return *argv_++;
  }

  void add(option const& o, std::string_view value) {
    if (!o.choices.empty()) {
      auto const choices = split(o.choices, '|');
      if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
        auto const near = nearest(value, choices);
        throw usage(joined({"--", o.name, " is one of ", o.choices, ", not \"", printable(value), "\""}),
                    near.empty() ? std::string{} : joined({"did you mean ", near, "?"}));
      }
    }
    out_.given.given_.emplace_back(o.name, value);
  }

  char** argv_;
  char** end_;
  std::span<command const* const> commands_;
  parsed out_;
};

parsed parse(int argc, char** argv, std::span<command const* const> commands) {
  return parser{argc, argv, commands}.run();
}

}  // namespace leasehold::cli
