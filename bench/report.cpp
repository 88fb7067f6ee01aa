// Decides what the reader sees: the table on stdout, the JSON files, the progress on stderr.
#include "harness.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

namespace bench {
namespace {

std::string number(std::optional<double> value, char const* absent) {
  if (!value) return absent;
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", *value);
  return text;
}

std::string compact(std::optional<double> value) {
  if (value && *value >= 1000) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f", *value);
    return text;
  }
  return number(value, "-");
}

/// Ids, units and goals are our own ASCII without quotes: nothing to escape.
std::string json_object(row const& r) {
  auto const v = judge(r);
  return "{\"id\":\"" + r.id + "\",\"ours\":" + number(v.ours, "null") + ",\"unit\":\"" + r.unit +
         "\",\"limit\":" + number(v.limit, "null") + ",\"peer\":" + number(v.peer, "null") +
         ",\"ratio\":" + number(v.ratio, "null") + ",\"goal\":" + (v.goal.empty() ? "null" : "\"" + v.goal + "\"") +
         ",\"pass\":" + (v.pass ? (*v.pass ? "true" : "false") : "null") +
         ",\"runs\":" + std::to_string(r.ours.size()) + "}";
}

constexpr auto line_format = "%-26s %9s %-4s %-17s %9s %9s %8s  %-31s %-6s %s\n";

}  // namespace

void print_table(std::span<row const> rows) {
  std::printf(line_format, "id", "ours", "unit", "min..max", "limit", "peer", "ratio", "goal", "pass", "compared with");
  for (auto const& r : rows) {
    auto const v = judge(r);
    auto const spread = compact(v.least) + ".." + compact(v.most);
    auto const verdict_word = v.pass ? (*v.pass ? "yes" : "NO") : "stated";
    std::printf(line_format, r.id.c_str(), compact(v.ours).c_str(), r.unit.c_str(), spread.c_str(),
                compact(v.limit).c_str(), compact(v.peer).c_str(), number(v.ratio, "-").c_str(),
                v.goal.empty() ? "-" : v.goal.c_str(), verdict_word, r.note.c_str());
  }
  std::fflush(stdout);
}

void write_json(std::span<row const> rows, std::filesystem::path const& directory) {
  std::map<std::string, std::string> areas;
  for (auto const& r : rows) {
    auto& text = areas[r.id.substr(0, r.id.find('/'))];
    text += (text.empty() ? "[\n  " : ",\n  ") + json_object(r);
  }
  std::filesystem::create_directories(directory);
  for (auto const& [area, text] : areas) {
    auto const path = directory / (area + ".json");
    std::ofstream file(path);
    file << text << "\n]\n";
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path.string());
  }
}

progress::progress(std::string_view id, unsigned steps) : id_(id), steps_(steps), terminal_(isatty(2) == 1) {
  show({});
}

progress::~progress() {
  if (terminal_) std::fputs("\r\033[K", stderr);
}

void progress::step(std::string_view what) {
  ++done_;
  show(what);
}

void progress::show(std::string_view what) {
  auto const now = std::chrono::steady_clock::now();
  if (!terminal_ && done_ > 0 && now - shown_ < std::chrono::seconds(2)) return;
  shown_ = now;
  std::fprintf(stderr, "%s%s  %u/%u %.*s%s", terminal_ ? "\r\033[K" : "", id_.c_str(), done_, steps_,
               static_cast<int>(what.size()), what.data(), terminal_ ? "" : "\n");
  std::fflush(stderr);
}

}  // namespace bench
