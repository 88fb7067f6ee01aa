// Decides how a command line becomes one command's run, and how its failure ends the program.
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"

#include <leasehold/error.hpp>

#include <exception>
#include <new>
#include <string_view>

namespace leasehold::cli {

namespace {

/// Errors of parsing itself must know the format, too.
bool json_on_line(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::string_view const word{argv[i]};
    if (word == "--") return false;
    if (word == "--json" || word == "-ojson" || word == "--output=json" || word == "--output=ndjson") return true;
    bool const format_follows = (word == "-o" || word == "--output") && i + 1 < argc;
    if (format_follows && std::string_view{argv[i + 1]}.ends_with("json")) return true;
  }
  return false;
}

int dispatch(int argc, char** argv) {
  auto line = parse(argc, argv, all_commands());
  bool const help = line.given.has("help");
  if (line.given.has("version")) {
    invocation call{version_command, std::move(line.given)};
    return print_version(call);
  }
  if (line.what == nullptr && !help) throw usage("no command", "leasehold help");
  if (help) return emit(line.what != nullptr ? help_of(*line.what) : overview()), exit_code::done;
  invocation call{*line.what, std::move(line.given)};
  return line.what->run(call);
}

int guarded(int argc, char** argv) {
  bool const json = json_on_line(argc, argv);
  try {
    return dispatch(argc, argv);
  } catch (problem const& what) {
    print(what, json);
    return what.exit_code;
  } catch (error const& e) {
    auto const what = from_library(e.code(), e.details());
    print(what, json);
    return what.exit_code;
  } catch (std::bad_alloc const&) {
    print({exit_code::os_refused, "LH-OS-REFUSED", "out of memory", {}}, json);
    return exit_code::os_refused;
  } catch (std::exception const& e) {
    auto const what = from_library(errc::internal, diagnostics{e.what()});
    print(what, json);
    return what.exit_code;
  }
}

}  // namespace

}  // namespace leasehold::cli

int main(int argc, char** argv) { return leasehold::cli::guarded(argc, argv); }
