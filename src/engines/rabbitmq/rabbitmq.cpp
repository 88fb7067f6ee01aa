#include "engines/rabbitmq/rabbitmq.hpp"

#include "engines/rabbitmq/backend.hpp"

namespace leasehold::inline v0_1::rabbitmq {

result<spi::opened> open_rabbitmq(spi::url const& url, bool lazy) {
  auto where = settings_of(url);
  if (!where) return where.get_failure();
  auto made = std::make_shared<backend>(std::move(*where));
  if (!lazy) {
    if (auto ok = made->probe(); !ok) return ok.get_failure();
  }
  return spi::opened{std::move(made), nullptr, url.redacted()};
}

result<void> initialize_rabbitmq(spi::url const& url) {
  auto where = settings_of(url);
  if (!where) return where.get_failure();
  return backend(std::move(*where)).probe();
}

}  // namespace leasehold::inline v0_1::rabbitmq
