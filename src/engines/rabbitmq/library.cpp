#include "engines/rabbitmq/library.hpp"

#if defined(LEASEHOLD_WITH_RABBITMQ)

#include <dlfcn.h>

#include <optional>

namespace leasehold::inline v0_1::rabbitmq {
namespace {

template <class F>
bool find(void* in, char const* name, F& out) {
  out = reinterpret_cast<F>(::dlsym(in, name));
  return out != nullptr;
}

std::optional<library> load() {
  void* const lib =
      ::dlopen("librabbitmq.so.4", RTLD_NOW | RTLD_LOCAL);  // never closed; 0.6 to 0.15 are all of this ABI
  if (lib == nullptr) return std::nullopt;
  library l{};
  bool const all =
      find(lib, "amqp_new_connection", l.new_connection) &&
      find(lib, "amqp_destroy_connection", l.destroy_connection) &&
      find(lib, "amqp_connection_close", l.close_connection) && find(lib, "amqp_tcp_socket_new", l.new_tcp_socket) &&
      find(lib, "amqp_ssl_socket_new", l.new_tls_socket) && find(lib, "amqp_ssl_socket_set_cacert", l.set_authority) &&
      find(lib, "amqp_ssl_socket_set_key", l.set_key) && find(lib, "amqp_ssl_socket_set_verify_peer", l.verify_peer) &&
      find(lib, "amqp_ssl_socket_set_verify_hostname", l.verify_host) &&
      find(lib, "amqp_socket_open_noblock", l.open_socket) && find(lib, "amqp_get_sockfd", l.socket_of) &&
      find(lib, "amqp_set_handshake_timeout", l.set_handshake_timeout) &&
      find(lib, "amqp_set_rpc_timeout", l.set_rpc_timeout) && find(lib, "amqp_login_with_properties", l.login) &&
      find(lib, "amqp_get_server_properties", l.server_properties) && find(lib, "amqp_get_heartbeat", l.heartbeat_of) &&
      find(lib, "amqp_simple_rpc", l.call) && find(lib, "amqp_send_method", l.send) &&
      find(lib, "amqp_basic_publish", l.publish) && find(lib, "amqp_basic_ack", l.ack) &&
      find(lib, "amqp_basic_nack", l.nack) && find(lib, "amqp_simple_wait_frame_noblock", l.next_frame) &&
      find(lib, "amqp_frames_enqueued", l.has_frames) && find(lib, "amqp_data_in_buffer", l.has_bytes) &&
      find(lib, "amqp_maybe_release_buffers_on_channel", l.release_buffers) &&
      find(lib, "amqp_error_string2", l.error_text);
  return all ? std::optional(l) : std::nullopt;
}

}  // namespace

library const* library::get() {
  static auto const loaded = load();
  return loaded ? &*loaded : nullptr;
}

}  // namespace leasehold::inline v0_1::rabbitmq

#endif
