#include "verdict.hpp"

#include "processes.hpp"
#include "progress.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

namespace demo {
namespace {

constexpr std::size_t digest_digits = 64;

/// Relative path → digest, as sha256sum sees it. Files that it cannot read are missing.
std::unordered_map<std::string, std::string> sha256sum(tree const& files, std::filesystem::path const& scratch) {
  auto const list = scratch / "sha256sum.list";
  auto const output = scratch / "sha256sum.out";
  write_list(list, files.files);
  process xargs({"xargs", "-0", "-a", list.native(), "sha256sum", "-z", "--"}, files.root.native(), output.native());
  xargs.wait();
  // 123: sha256sum could not read some files; those are compared below.
  if (xargs.exit_code() != 0 && xargs.exit_code() != 123) {
    throw std::runtime_error(fmt::format("xargs sha256sum failed with exit code {}", xargs.exit_code()));
  }
  std::unordered_map<std::string, std::string> digests;
  std::ifstream in(output, std::ios::binary);
  auto const path_at = digest_digits + std::string_view("  ./").size();
  for (std::string line; std::getline(in, line, '\0');) {
    if (line.size() > path_at) digests[line.substr(path_at)] = line.substr(0, digest_digits);
  }
  return digests;
}

/// Counts, and remembers one example to print.
struct tally {
  std::size_t count = 0;
  std::string example{};
  void add(std::string const& path) {
    if (count++ == 0) example = path;
  }
  [[nodiscard]] finding must_be_none(std::string what) const {
    bool const good = count == 0;
    if (!good && !example.empty()) what += ", for instance " + printable(example);
    return {good, std::to_string(count), std::move(what)};
  }
};

}  // namespace

std::vector<finding> compare(tree const& files, manifest const& log, std::filesystem::path const& scratch) {
  auto const truth = sha256sum(files, scratch);
  std::size_t once = 0;
  tally lost;
  tally repeated;
  tally wrong;
  tally unknown;
  std::unordered_set<std::string> names;
  for (auto const& path : files.files) {
    auto const name = lock_name(path);
    names.insert(name);
    auto const* const file = log.find(name);
    auto const done = file == nullptr ? 0 : file->done;
    if (done == 0) lost.add(path);
    if (done == 1) ++once;
    if (done > 1) repeated.add(path);
    if (done == 0) continue;
    auto const expected = truth.find(path);
    auto const recorded = file->last.kind == entry_kind::done ? to_text(file->last.hash) : "";
    if (recorded != (expected == truth.end() ? "" : expected->second)) wrong.add(path);
  }
  for (auto const& [name, state] : log.files()) {
    if (!names.contains(name)) unknown.add(name);
  }
  return {{once == files.files.size(), std::to_string(once),
           fmt::format("of {} files recorded exactly once", files.files.size())},
          lost.must_be_none("lost"),
          repeated.must_be_none("recorded twice"),
          wrong.must_be_none("digests that differ from sha256sum's"),
          unknown.must_be_none("recorded, but not in the tree"),
          {log.damaged() == 0, std::to_string(log.damaged()), "damaged records"}};
}

bool print_verdict(std::vector<finding> const& findings) {
  bool const colour = colours();
  auto const mark = [&](bool good) {
    auto const* const text = good ? "ok  " : "FAIL";
    return colour ? fmt::format("\x1b[{}m{}\x1b[0m", good ? 32 : 31, text) : std::string(text);
  };
  bool all = true;
  fmt::print("\n");
  for (auto const& one : findings) {
    all = all && one.good;
    fmt::print("  {}  {:>6}  {}\n", mark(one.good), one.found, one.what);
  }
  fmt::print("\n{}\n", all ? "PASS: every file was processed exactly once." : "FAIL: see the lines marked FAIL.");
  return all;
}

}  // namespace demo
