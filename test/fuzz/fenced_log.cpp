// Fuzzes fenced logs: any file is read or refused, never trusted, and appending to what was read loses no record.
#include "core/fence/record_codec.hpp"
#include "fuzz/target.hpp"

#include <leasehold/fence.hpp>

#include <span>

namespace {

using namespace leasehold;
using leasehold::fuzz::require;

void read_and_append(std::string const& path) {
  auto log = fenced_log::open(path);
  if (!log) {
    require(static_cast<bool>(log.error()) && !log.get_failure().details.message().empty(), "a typed error");
    return;
  }
  auto const before = log->read();
  require(before.has_value(), "an opened log can be read");
  fenced_log::cursor from;
  auto const by_cursor = log->read(from);
  require(by_cursor && by_cursor->records.size() <= before->records.size(), "a cursor reads no more");
  std::byte const payload{7};
  require(log->append("fuzz", UINT64_MAX, std::span(&payload, 1)).has_value(), "appending");
  auto const after = log->read();
  require(after && after->records.size() == before->records.size() + 1, "one record more, whatever lies before it");
  require(after->records.back().name == "fuzz" && !after->records.back().is_void, "and it is ours");
  for (std::size_t i = 0; i < before->records.size(); ++i) {
    require(after->records[i].is_void == before->records[i].is_void, "later records make no earlier one void");
  }
}

}  // namespace

/// The first byte chooses: a sound header before the rest, or the rest as the whole file.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static leasehold::fuzz::scratch_file const file;
  if (size == 0) return 0;
  std::string content;
  if (data[0] % 2 == 0) {
    auto const head = core::log_header();
    content.assign(reinterpret_cast<char const*>(head.data()), head.size());
  }
  content += leasehold::fuzz::text_of(data + 1, size - 1);
  file.write(content);
  read_and_append(file.path());
  return 0;
}
