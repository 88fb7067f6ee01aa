#include "engines/redis/redis.hpp"

#include "engines/redis/backend.hpp"
#include "engines/redis/own_driver.hpp"

namespace leasehold::inline v0_1::redis {

result<spi::opened> open_redis(spi::url const& url, bool lazy) {
  auto where = settings_of(url);
  if (!where) return where.get_failure();
  auto made = std::make_shared<backend>(std::move(*where));
  if (!lazy) {
    if (auto ok = own_driver().run(made->probe()); !ok) return ok.get_failure();
  }
  return spi::opened{std::move(made), nullptr, url.redacted()};
}

result<void> initialize_redis(spi::url const& url) {
  auto where = settings_of(url);
  if (!where) return where.get_failure();
  backend to(std::move(*where));
  return own_driver().run(to.initialize());
}

}  // namespace leasehold::inline v0_1::redis
