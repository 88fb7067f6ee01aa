#include "engines/redis/stream.hpp"

namespace leasehold::inline v0_1::redis {

result<std::unique_ptr<stream>> wrap_tls(settings const& to, std::unique_ptr<stream> /*under*/) {
  return failure{make_error_code(errc::unsupported),
                 diagnostics(to.shown + ": rediss: is not available in this build", "use redis: or redis+unix:")};
}

}  // namespace leasehold::inline v0_1::redis
