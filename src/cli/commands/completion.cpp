// Decides what shells complete: commands, flags and the flags' choices, generated from the commands' own tables.
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"

#include <algorithm>

namespace leasehold::cli {

namespace {

std::string words_of(std::span<option const> options) {
  std::string out;
  for (auto const& o : options) {
    if (o.letter != 0) out += joined({" -", std::string_view{&o.letter, 1}});
    out += joined({" --", o.name});
  }
  return out;
}

std::string choices_of(std::string_view choices) {
  std::string out{choices};
  std::replace(out.begin(), out.end(), '|', ' ');
  return out;
}

/// The first word of every command, each once.
std::vector<std::string_view> first_words() {
  std::vector<std::string_view> out;
  for (auto const* c : all_commands()) {
    auto const word = c->name.substr(0, c->name.find(' '));
    if (std::find(out.begin(), out.end(), word) == out.end()) out.push_back(word);
  }
  return out;
}

std::string spaced(std::vector<std::string_view> const& words) {
  std::string out;
  for (auto word : words) out += joined({out.empty() ? "" : " ", word});
  return out;
}

/// Lines of a `case` on "command flag": a flag may mean something else in another command.
std::string choice_lines(std::string_view command, std::span<option const> options) {
  std::string out;
  for (auto const& o : options) {
    if (o.choices.empty()) continue;
    auto const letter = o.letter == 0 ? std::string{} : joined({"|", command, "\\ -", std::string_view{&o.letter, 1}});
    out += joined({"    ", command, "\\ --", o.name, letter, ") words='", choices_of(o.choices), "' ;;\n"});
  }
  return out;
}

std::string bash() {
  auto choices = choice_lines("*", global_options());
  for (auto const* c : all_commands()) choices += choice_lines(c->name.substr(0, c->name.find(' ')), c->options);
  std::string flags;
  for (auto const* c : all_commands()) {
    flags +=
        joined({"    ", c->name.substr(0, c->name.find(' ')), ") flags=\"", words_of(c->options), " $flags\" ;;\n"});
  }
  return joined(
      // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one text of many lines.
      {"# bash completion of leasehold; source it, or install it as bash-completion/completions/leasehold\n"
       "_leasehold() {\n"
       "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command='' words='' i\n"
       "  local flags='",
       words_of(global_options()),
       "'\n"
       "  COMPREPLY=()\n"
       "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
       "    if [[ ${COMP_WORDS[i]} == -- ]]; then\n"
       "      COMPREPLY=($(compgen -o default -- \"$cur\")); return\n"
       "    fi\n"
       "    case ${COMP_WORDS[i]} in -*) ;; *) [[ -n $command ]] || command=${COMP_WORDS[i]} ;; esac\n"
       "  done\n"
       "  case $command in\n",
       flags,
       "  esac\n"
       "  case \"$command $prev\" in\n",
       choices,
       "    *\\ --config|*\\ --status-file) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
       "  esac\n"
       "  if [[ -n $words ]]; then\n"
       "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
       "  elif [[ $cur == -* ]]; then\n"
       "    COMPREPLY=($(compgen -W \"$flags\" -- \"$cur\"))\n"
       "  elif [[ -z $command ]]; then\n"
       "    COMPREPLY=($(compgen -W '",
       spaced(first_words()),
       "' -- \"$cur\"))\n"
       "  elif [[ $command == completion ]]; then\n"
       "    COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$cur\"))\n"
       "  elif [[ $command == config ]]; then\n"
       "    COMPREPLY=($(compgen -W 'show' -- \"$cur\"))\n"
       "  fi\n"
       "}\n"
       "complete -F _leasehold leasehold\n"});
}

/// zsh runs bash completions well; the file only has to say so.
std::string zsh() {
  return joined(
      {"#compdef leasehold\n"
       "# zsh completion of leasehold; install it as _leasehold in a directory of $fpath\n"
       "autoload -U +X bashcompinit && bashcompinit\n",
       bash()});
}

std::string fish_options(std::span<option const> options, std::string_view condition) {
  std::string out;
  for (auto const& o : options) {
    std::string help{o.help};
    std::string escaped;
    for (char c : help) c == '\'' ? escaped.append("\\'") : escaped.append(1, c);
    out += joined({"complete -c leasehold", condition, o.letter == 0 ? "" : " -s ",
                   o.letter == 0 ? std::string_view{} : std::string_view{&o.letter, 1}, " -l ", o.name,
                   o.argument.empty() ? "" : " -x", o.choices.empty() ? "" : " -a '", choices_of(o.choices),
                   o.choices.empty() ? "" : "'", " -d '", escaped, "'\n"});
  }
  return out;
}

std::string fish() {
  std::string out =
      "# fish completion of leasehold; install it as completions/leasehold.fish\ncomplete -c leasehold -f\n";
  out += fish_options(global_options(), "");
  for (auto const* c : all_commands()) {
    auto const word = c->name.substr(0, c->name.find(' '));
    out += joined({"complete -c leasehold -n __fish_use_subcommand -a ", word, " -d '",
                   c->summary.substr(0, c->summary.find('\'')), "'\n"});
    out += fish_options(c->options, joined({" -n '__fish_seen_subcommand_from ", word, "'"}));
  }
  return out +
         "complete -c leasehold -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
         "complete -c leasehold -n '__fish_seen_subcommand_from config' -a show\n";
}

int completion(invocation& call) {
  auto const shell = call.word(0);
  if (shell == "bash") return emit(bash()), 0;
  if (shell == "zsh") return emit(zsh()), 0;
  if (shell == "fish") return emit(fish()), 0;
  auto const near = nearest(shell, {"bash", "zsh", "fish"});
  throw usage(joined({"no completion for \"", printable(shell), "\""}),
              near.empty() ? "bash, zsh or fish" : joined({"did you mean ", near, "?"}));
}

}  // namespace

command const completion_command{.name = "completion",
                                 .summary = "print a completion script for bash, zsh or fish",
                                 .words = "bash|zsh|fish",
                                 .words_min = 1,
                                 .words_max = 1,
                                 .options = {},
                                 .about =
                                     "Example:\n"
                                     "  eval \"$(leasehold completion bash)\"",
                                 .run = completion};

}  // namespace leasehold::cli
