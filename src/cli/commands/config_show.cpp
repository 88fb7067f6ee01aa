// Decides how the settings in effect are shown: redacted, with where each came from.
#include "base/text.hpp"
#include "commands/all.hpp"
#include "view/json.hpp"
#include "view/table.hpp"

namespace leasehold::cli {

namespace {

constexpr option options[] = {
    {"origin", 0, "", "also where each one came from"},
};

int config_show(invocation& call) {
  auto const listing = call.config().listing();
  bool const origin = call.args().has("origin");
  if (call.json_wanted()) {
    auto out = document("config");
    out["files"] = call.config().files();
    out["items"] = json_value::array();
    for (auto const& [key, setting] : listing) {
      out["items"].push_back({{"key", key}, {"value", setting.value}, {"origin", setting.origin}});
    }
    emit(one_line(out));
    return 0;
  }
  if (call.output() == format::name) {
    for (auto const& [key, setting] : listing) emit(key + "\n");
    return 0;
  }
  std::vector<table::column> columns{{"KEY"}, {"VALUE"}};
  if (origin) columns.push_back({"ORIGIN"});
  table rows{std::move(columns)};
  for (auto const& [key, setting] : listing) {
    std::vector<cell> row{{key}, {setting.value}};
    if (origin) row.push_back({setting.origin});
    rows.add(std::move(row));
  }
  print(call, rows);
  return 0;
}

}  // namespace

command const config_show_command{
    .name = "config show",
    .summary = "the settings in effect, without secrets",
    .words = "",
    .options = options,
    .about =
        "Flags win over LEASEHOLD_* variables, these over ./leasehold.toml (only with --project), the user's file, and "
        "/etc/leasehold/config.toml. See leasehold help config.",
    .run = config_show};

}  // namespace leasehold::cli
