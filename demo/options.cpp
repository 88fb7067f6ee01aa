#include "options.hpp"

#include <CLI/CLI.hpp>

namespace demo {
namespace {

constexpr int exit_usage = 64;

constexpr char const* description =
    "Exactly-once processing of a directory tree by competing worker processes.\n"
    "Each worker takes a file's lock, computes its SHA-256 and records it in one shared manifest. One worker is "
    "killed\n"
    "(kill -9) and one frozen (SIGSTOP) past its TTL, both while they hold a lock. At the end the manifest is checked "
    "against\n"
    "an independent run of sha256sum. Exit code: 0 = every file exactly once, 1 = not, 64 = wrong usage.";

void add_public(CLI::App& app, options& o) {
  app.add_option("DIRECTORY", o.directory,
                 "whose files are processed (default: /usr/share/doc, or another that has enough)");
  app.add_option("-w,--workers", o.workers, "worker processes")->check(CLI::Range(3u, 64u))->capture_default_str();
  app.add_option("-n,--max-files", o.files_max, "only the first N files, in order of their paths")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}))
      ->capture_default_str();
  app.add_option("--ttl", o.ttl_s, "seconds a lock is granted at a time; the frozen worker sleeps past it")
      ->check(CLI::Range(0.2, 60.0))
      ->capture_default_str();
  app.add_option("--watch", o.watch_s,
                 "spread the work over about so many seconds, so that there is something to see; 0 = at full speed")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--store", o.store, "URL of the locks' store (default: an embedded one in a temporary directory)");
  app.add_option("--manifest", o.manifest, "write the manifest here, and keep it");
  app.add_option("--verify", o.verify, "process nothing; only check this kept manifest against DIRECTORY");
}

void add_hidden(CLI::App& app, options& o) {
  app.add_option("--worker", o.worker)->group("");
  app.add_option("--list", o.list)->group("");
  app.add_option("--name-space", o.name_space)->group("");
  app.add_option("--pause", o.pause_s)->group("");
}

}  // namespace

std::optional<options> parse(int argc, char** argv, int& exit_code) {
  options o;
  CLI::App app(description, "leasehold-demo");
  add_public(app, o);
  add_hidden(app, o);
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& e) {
    exit_code = app.exit(e) == 0 ? 0 : exit_usage;
    return std::nullopt;
  }
  return o;
}

}  // namespace demo
