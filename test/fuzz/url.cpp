// Fuzzes store URLs: reading is total, the redacted form is a URL of the same store again, and no text shows the password.
#include "spi/url.hpp"
#include "fuzz/target.hpp"

#include <leasehold/store.hpp>

#include <string>

namespace {

using namespace leasehold;
using leasehold::fuzz::require;

/// What is shown does not depend on what is secret, whatever else the URL says.
void require_hidden(spi::url other, std::string const& shown) {
  if (!other.password.empty()) other.password = spi::secret("another");
  require(other.redacted() == shown, "the password stays hidden");
  for (auto& [key, value] : other.query) {
    for (auto const* mark : {"password", "token", "secret", "key"}) {
      if (key.find(mark) != std::string::npos) value = "another";
    }
  }
  require(other.redacted() == shown, "secrets in the query stay hidden");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const text = leasehold::fuzz::text_of(data, size);
  auto const first = spi::parse_url(text);
  if (!first) {
    require(first.error() == errc::bad_option, "a typed error");
    require(redacted(text) == "(not a URL)", "what is no URL is not repeated");
    return 0;
  }
  auto const shown = first->redacted();
  require_hidden(*first, shown);
  // Percent-escapes make it longer, at most threefold; only what fits can be read again.
  auto const again = spi::parse_url(shown);
  require(again.has_value() || shown.size() > 8192, "the redacted form is a URL");
  if (!again) return 0;
  require(again->redacted() == shown, "redacting twice changes nothing");
  require(again->scheme == first->scheme && again->user == first->user && again->path == first->path, "the same store");
  require(again->hosts.size() == first->hosts.size() && again->query.size() == first->query.size(), "the same parts");
  static_cast<void>(spi::check_query(*first, {"ttl", "capacity"}));
  return 0;
}
