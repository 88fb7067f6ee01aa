// Decides when colour is used.
#include "view/style.hpp"

#include "base/text.hpp"

#include <unistd.h>

#include <cstdlib>

namespace leasehold::cli {

namespace {

bool is_set(char const* name) {
  auto const* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

}  // namespace

style::style(invocation& call, int fd) {
  auto const* chosen = call.config().find("color");
  if (chosen != nullptr && chosen->value != "auto") {
    on_ = chosen->value == "always";
    return;
  }
  auto const* term = std::getenv("TERM");
  bool const dumb = term != nullptr && std::string_view{term} == "dumb";
  on_ = !is_set("NO_COLOR") && (is_set("FORCE_COLOR") || (::isatty(fd) == 1 && !dumb));
}

std::string style::paint(hue h, std::string_view text) const {
  if (!on_ || h == hue::none) return std::string{text};
  auto const code = h == hue::good ? "32" : h == hue::wait ? "33" : "31;1";
  return joined({"\x1b[", code, "m", text, "\x1b[0m"});
}

}  // namespace leasehold::cli
