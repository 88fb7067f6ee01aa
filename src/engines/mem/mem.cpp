#include "engines/mem/mem.hpp"

#include "engines/mem/client.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace leasehold::inline v0_1::mem {
namespace {

/// Never destroyed: leases may be released during static destruction.
std::shared_ptr<engine> engine_of(std::string const& name) {
  static auto& guard = *new std::mutex;
  static auto& engines = *new std::map<std::string, std::shared_ptr<engine>>;
  std::lock_guard const hold(guard);
  auto& found = engines[name];
  if (!found) found = std::make_shared<engine>(nullptr);
  return found;
}

result<void> check(spi::url const& where) {
  if (!where.hosts.empty() || !where.user.empty()) {
    return failure{errc::bad_option, diagnostics("mem: takes a name, not a host", "write mem: or mem:NAME")};
  }
  return spi::check_query(where, {});
}

}  // namespace

result<spi::opened> open_mem(spi::url const& where, bool /*lazy*/) {
  if (auto ok = check(where); !ok) return ok.get_failure();
  return spi::opened{std::make_shared<client>(engine_of(where.path)), nullptr, where.redacted()};
}

result<void> initialize_mem(spi::url const& where) { return check(where); }

}  // namespace leasehold::inline v0_1::mem
