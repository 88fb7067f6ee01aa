// Decides what is said of the version.
#include "base/text.hpp"
#include "commands/all.hpp"
#include "view/json.hpp"

#include <leasehold/config.hpp>

#include <sys/utsname.h>

namespace leasehold::cli {

int print_version(invocation& call) {
  if (!call.json_wanted()) return emit("leasehold " LEASEHOLD_VERSION_STRING "\n"), 0;
  utsname system{};
  ::uname(&system);
  auto out = document("version");
  out["version"] = LEASEHOLD_VERSION_STRING;
  out["compiler"] = __VERSION__;
  out["system"] = joined({system.sysname, " ", system.release, " ", system.machine});
  emit(one_line(out));
  return 0;
}

command const version_command{.name = "version",
                              .summary = "print the version",
                              .words = "",
                              .options = {},
                              .about = "With -o json also compiler and system, for reports.",
                              .run = print_version};

}  // namespace leasehold::cli
