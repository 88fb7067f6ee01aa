// Decides how help is laid out; its words come from the commands' own tables.
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "commands/topics.hpp"

#include <algorithm>

namespace leasehold::cli {

namespace {

/// `text` in lines of at most 80 columns; what begins with a space stays as it is.
std::string wrapped(std::string_view text) {
  constexpr std::size_t width = 80;
  std::string out;
  for (auto line : split(text, '\n')) {
    while (columns(line) > width && !line.starts_with(' ')) {
      auto const cut = line.substr(0, width + 1).rfind(' ');
      if (cut == line.npos) break;
      out.append(line.substr(0, cut)).append("\n");
      line.remove_prefix(cut + 1);
    }
    out.append(line).append("\n");
  }
  return out;
}

std::string spelled(option const& o) {
  std::string letter = o.letter == 0 ? "    " : joined({"-", std::string_view{&o.letter, 1}, ", "});
  return joined({letter, "--", o.name, o.argument.empty() ? "" : " ", o.argument});
}

std::string listed(std::span<option const> options) {
  std::size_t widest = 0;
  for (auto const& o : options) widest = std::max(widest, spelled(o).size());
  std::string out;
  for (auto const& o : options) {
    auto const left = spelled(o);
    auto const choices = o.choices.empty() ? std::string{} : joined({" (", o.choices, ")"});
    out += joined({"  ", left, std::string(widest - left.size() + 2, ' '), o.help, choices, "\n"});
  }
  return out;
}

int help(invocation& call) {
  auto const& words = call.args().words;
  if (words.empty()) return emit(overview()), 0;
  auto const word = words.size() == 2 ? joined({words[0], " ", words[1]}) : std::string{words[0]};
  std::vector<std::string_view> known;
  for (auto const* c : all_commands()) {
    if (c->name == word) return emit(help_of(*c)), 0;
    known.push_back(c->name);
  }
  for (auto const& topic : help_topics()) {
    if (topic.name == word) return emit(wrapped(topic.text)), 0;
    known.push_back(topic.name);
  }
  auto const near = nearest(word, known);
  throw usage(joined({"no help on \"", printable(word), "\""}),
              near.empty() ? "leasehold help" : joined({"did you mean: leasehold help ", near}));
}

}  // namespace

std::string help_of(command const& what) {
  auto out = joined({"usage: leasehold ", what.name, what.words.empty() ? "" : " ", what.words, " [FLAG…]",
                     what.takes_job ? " -- COMMAND [ARGUMENT…]" : "", "\n\n", wrapped(what.about), "\n"});
  if (!what.options.empty()) out += joined({"flags:\n", listed(what.options), "\n"});
  return out + joined({"flags of every command:\n", listed(global_options()),
                       "\ntime spans: 500ms 30s 5m 2h 1d PT1H30M; a bare number is seconds\n"});
}

std::string overview() {
  std::string out =
      "leasehold: hold a lock while something runs, on one machine or many\n\n"
      "usage: leasehold COMMAND [FLAG…]\n"
      "       leasehold run --name NAME -- COMMAND [ARGUMENT…]\n\ncommands:\n";
  for (auto const* c : all_commands())
    out += joined({"  ", c->name, std::string(14 - c->name.size(), ' '), c->summary, "\n"});
  out += "\ntopics (leasehold help TOPIC):\n";
  for (auto const& t : help_topics())
    out += joined({"  ", t.name, std::string(14 - t.name.size(), ' '), t.summary, "\n"});
  return out + "\nmore: leasehold help COMMAND, leasehold(1)\n";
}

command const help_command{.name = "help",
                           .summary = "help on a command or a topic",
                           .words = "[COMMAND|TOPIC]",
                           .words_max = 2,
                           .options = {},
                           .about = "Topics: exit-codes, stores, config, environment, errors.",
                           .run = help};

}  // namespace leasehold::cli
