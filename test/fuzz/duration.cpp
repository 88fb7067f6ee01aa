// Fuzzes time spans as URLs and the command line read them: total, never negative, and both agree on what both read.
#include "base/durations.hpp"
#include "fuzz/target.hpp"
#include "spi/url.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace leasehold;
  using leasehold::fuzz::require;
  auto const text = leasehold::fuzz::text_of(data, size);
  auto const in_url = spi::parse_duration(text);
  auto const in_tool = cli::parse_duration(text);
  if (in_url) {
    require(*in_url >= duration::zero(), "never negative");
  } else {
    require(in_url.error() == errc::bad_option, "a typed error");
    require(in_url.get_failure().details.message().size() < 200, "a long text is not repeated");
  }
  if (in_tool) {
    require(*in_tool >= duration::zero(), "never negative");
    auto const again = cli::parse_duration(cli::in_units(*in_tool));
    require(again && *in_tool - *again < std::chrono::milliseconds(2), "what is written is read back");
    require(!cli::in_words(*in_tool).empty(), "and has words");
  }
  return 0;
}
