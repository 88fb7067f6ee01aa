// Decides which engines are built in; one line each.
#include "engines/cosmos/cosmos.hpp"
#include "engines/local/local.hpp"
#include "engines/mem/mem.hpp"
#include "engines/rabbitmq/rabbitmq.hpp"
#include "engines/redis/node.hpp"
#include "engines/redis/redis.hpp"
#include "engines/redlock/redlock.hpp"
#include "spi/url.hpp"

namespace leasehold::inline v0_1::spi {

std::vector<engine_entry> const& builtin_engines() {
  static std::vector<engine_entry> const all{
      {"local", local::open_local, local::initialize_local},
      {"mem", mem::open_mem, mem::initialize_mem},
      {"redis", redis::open_redis, redis::initialize_redis, redis::open_redis_node},
      {"rediss", redis::open_redis, redis::initialize_redis, redis::open_redis_node},
      {"redis+unix", redis::open_redis, redis::initialize_redis, redis::open_redis_node},
      {"amqp", rabbitmq::open_rabbitmq, rabbitmq::initialize_rabbitmq},
      {"amqps", rabbitmq::open_rabbitmq, rabbitmq::initialize_rabbitmq},
      {"redlock", redlock::open_redlock, redlock::initialize_redlock},
      {"cosmos", cosmos::open_cosmos, cosmos::initialize_cosmos},
  };
  return all;
}

}  // namespace leasehold::inline v0_1::spi
