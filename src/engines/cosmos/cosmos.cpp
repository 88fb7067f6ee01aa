#include "engines/cosmos/cosmos.hpp"

#if defined(LEASEHOLD_WITH_COSMOS)

#include "engines/cosmos/backend.hpp"
#include "engines/cosmos/curl_library.hpp"
#include "engines/cosmos/own_driver.hpp"

namespace leasehold::inline v0_1::cosmos {
namespace {

result<settings> usable(spi::url const& url) {
  if (curl_library::get() == nullptr) {
    return failure{make_error_code(errc::unsupported), diagnostics("cosmos: needs libcurl, which cannot be loaded here",
                                                                   "install Debian's package libcurl4")};
  }
  return settings_of(url);
}

}  // namespace

result<spi::opened> open_cosmos(spi::url const& url, bool lazy) {
  auto where = usable(url);
  if (!where) return where.get_failure();
  auto made = std::make_shared<backend>(std::move(*where));
  if (!lazy) {
    if (auto ok = own_driver().run(made->probe()); !ok) return ok.get_failure();
  }
  return spi::opened{std::move(made), nullptr, url.redacted()};
}

result<void> initialize_cosmos(spi::url const& url) {
  auto where = usable(url);
  if (!where) return where.get_failure();
  backend to(std::move(*where));
  return own_driver().run(to.initialize());
}

}  // namespace leasehold::inline v0_1::cosmos

#else

namespace leasehold::inline v0_1::cosmos {
namespace {

failure not_built() {
  return {make_error_code(errc::unsupported), diagnostics("this leasehold was built without cosmos:",
                                                          "build it with -DLEASEHOLD_WITH_COSMOS=ON; it needs Debian's "
                                                          "packages libcurl4-openssl-dev and nlohmann-json3-dev")};
}

}  // namespace

result<spi::opened> open_cosmos(spi::url const&, bool) { return not_built(); }
result<void> initialize_cosmos(spi::url const&) { return not_built(); }

}  // namespace leasehold::inline v0_1::cosmos

#endif
