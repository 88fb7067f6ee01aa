// Fuzzes names: the check is total, points into the name, and agrees with itself on every prefix.
#include "model/name.hpp"
#include "fuzz/target.hpp"

#include <leasehold/store.hpp>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace leasehold;
  using leasehold::fuzz::require;
  auto const name = leasehold::fuzz::text_of(data, size);
  auto const found = model::check_name(name);
  bool const good = found.fault == model::name_fault::none;
  require(found.at <= name.size(), "the fault lies in the name");
  require(check_name(name).has_value() == good, "the public check agrees");
  if (good) {
    require(!name.empty() && name.size() <= 255, "of allowed length");
    for (char const c : name) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "no control character");
  } else if (found.at > 0 && found.fault != model::name_fault::too_long) {
    require(model::check_name(name.substr(0, found.at)).fault == model::name_fault::none, "good up to the fault");
  }
  return 0;
}
