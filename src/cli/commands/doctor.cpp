// Decides what a health check looks at beside the engine's own findings, and when it counts as failed.
#include "base/durations.hpp"
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "view/json.hpp"
#include "view/style.hpp"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace leasehold::cli {

namespace {

constexpr option options[] = {
    {"strict", 0, "", "warnings count as failures"},
};

using level = finding::level;

finding clock_finding() {
  timespec boot{};
  bool const has_boottime = ::clock_gettime(CLOCK_BOOTTIME, &boot) == 0;
  if (has_boottime) return {level::pass, "host/clock", "CLOCK_BOOTTIME counts time in suspend", {}};
  return {level::warn, "host/clock", "no CLOCK_BOOTTIME: time in suspend does not count against a lease",
          "do not suspend this machine while it holds leases"};
}

void look_at_configuration(invocation& call, std::vector<finding>& out) {
  auto const& files = call.config().files();
  out.push_back({level::pass, "config/files", files.empty() ? "no configuration file" : joined(files, ", "), {}});
  for (auto const& file : files) {
    struct stat is {};
    if (::stat(file.c_str(), &is) != 0 || (is.st_mode & (S_IWGRP | S_IWOTH)) == 0) continue;
    out.push_back({level::warn, "config/writable", file + " can be written by others", "chmod go-w " + file});
  }
  auto const& choice = call.choice();
  auto const at = choice.url.find('@');
  auto const slashes = choice.url.find("://");
  bool const has_userinfo = slashes != std::string::npos && at != std::string::npos;
  bool const has_password =
      has_userinfo && choice.url.substr(slashes + 3, at - slashes - 3).find(':') != std::string::npos;
  if (has_password && choice.url.find("://") != std::string::npos && choice.label.find(':') != std::string::npos) {
    out.push_back({level::warn, "config/password", "the password is part of the URL, for every process list to see",
                   "use password_file in a [store.NAME]"});
  }
}

finding reachable(store const& where, duration took) {
  auto const& t = where.traits();
  return {level::pass,
          "store/reach",
          joined({where.url(), " answered in ",
                  std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(took).count()), " µs; engine ",
                  t.engine}),
          {}};
}

std::vector<finding> examine(invocation& call) {
  std::vector<finding> out;
  out.push_back(clock_finding());
  look_at_configuration(call, out);
  std::error_code ec;
  diagnostics details;
  auto const before = clock::now();
  auto const where = open(call.choice().url, call.open_options(), ec, &details);
  if (ec) {
    auto const what = from_library(ec, details, joined({"opening ", call.choice().label}));
    out.push_back({level::fail, "store/reach", what.message, what.hint});
    return out;
  }
  out.push_back(reachable(where, clock::now() - before));
  auto const promise = where.traits().summary;
  if (!promise.empty()) out.push_back({level::pass, "store/promise", std::string{promise}, {}});
  try {
    auto more = where.diagnose();
    std::move(more.begin(), more.end(), std::back_inserter(out));
  } catch (error const& e) {
    auto const what = from_library(e.code(), e.details(), "diagnosing");
    out.push_back({level::fail, "store/diagnose", what.message, what.hint});
  }
  return out;
}

std::string_view word_of(level severity) {
  return severity == level::pass ? "pass" : severity == level::warn ? "warn" : "fail";
}

hue hue_of(level severity) {
  return severity == level::pass ? hue::good : severity == level::warn ? hue::wait : hue::bad;
}

void print_findings(invocation& call, std::vector<finding> const& findings) {
  auto const as_json = [](finding const& each) {
    auto out = document("finding");
    out["severity"] = word_of(each.severity);
    out["id"] = each.id;
    out["text"] = each.text;
    out["remedy"] = each.remedy;
    return out;
  };
  if (call.output() == format::json) {
    auto out = document("doctor");
    out["store"] = call.choice().label;
    out["items"] = json_value::array();
    for (auto const& each : findings) out["items"].push_back(as_json(each));
    return emit(one_line(out));
  }
  style const look{call, STDOUT_FILENO};
  for (auto const& each : findings) {
    if (call.output() == format::ndjson) {
      emit(one_line(as_json(each)));
    } else if (call.output() == format::plain) {
      emit(joined(
          {word_of(each.severity), "\t", each.id, "\t", printable(each.text), "\t", printable(each.remedy), "\n"}));
    } else if (call.output() == format::name) {
      if (each.severity != level::pass) emit(each.id + "\n");
    } else {
      auto const remedy = each.remedy.empty() ? std::string{} : joined({"\n      remedy: ", printable(each.remedy)});
      emit(joined({look.paint(hue_of(each.severity), word_of(each.severity)), "  ", each.id, ": ", printable(each.text),
                   remedy, "\n"}));
    }
  }
}

int doctor(invocation& call) {
  auto const findings = examine(call);
  print_findings(call, findings);
  auto const limit = call.args().has("strict") ? level::warn : level::fail;
  bool const bad = std::any_of(findings.begin(), findings.end(), [&](finding const& f) { return f.severity >= limit; });
  return bad ? exit_code::answered_no : exit_code::done;
}

}  // namespace

command const doctor_command{
    .name = "doctor",
    .summary = "check store, settings and host; say what to do",
    .words = "",
    .options = options,
    .about = "One line a finding: pass, warn or fail, with a remedy. Exit code 1 if anything failed. Touches no lock.",
    .run = doctor};

}  // namespace leasehold::cli
