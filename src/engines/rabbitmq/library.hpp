// Decides how librabbitmq is reached: loaded on the first use of amqp:, so that nobody else pays for it.
#pragma once

#if defined(LEASEHOLD_WITH_RABBITMQ)

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

#include <leasehold/config.hpp>

namespace leasehold::inline v0_1::rabbitmq {

/// The functions that are used, found by name. Data symbols are not: a table or a byte string of zeros is an empty one.
struct library {
  decltype(&::amqp_new_connection) new_connection;
  decltype(&::amqp_destroy_connection) destroy_connection;
  decltype(&::amqp_connection_close) close_connection;
  decltype(&::amqp_tcp_socket_new) new_tcp_socket;
  decltype(&::amqp_ssl_socket_new) new_tls_socket;
  decltype(&::amqp_ssl_socket_set_cacert) set_authority;
  decltype(&::amqp_ssl_socket_set_key) set_key;
  decltype(&::amqp_ssl_socket_set_verify_peer) verify_peer;
  decltype(&::amqp_ssl_socket_set_verify_hostname) verify_host;
  decltype(&::amqp_socket_open_noblock) open_socket;
  decltype(&::amqp_get_sockfd) socket_of;
  decltype(&::amqp_set_handshake_timeout) set_handshake_timeout;
  decltype(&::amqp_set_rpc_timeout) set_rpc_timeout;
  decltype(&::amqp_login_with_properties) login;
  decltype(&::amqp_get_server_properties) server_properties;
  decltype(&::amqp_get_heartbeat) heartbeat_of;
  decltype(&::amqp_simple_rpc) call;
  decltype(&::amqp_send_method) send;
  decltype(&::amqp_basic_publish) publish;
  decltype(&::amqp_basic_ack) ack;
  decltype(&::amqp_basic_nack) nack;
  decltype(&::amqp_simple_wait_frame_noblock) next_frame;
  decltype(&::amqp_frames_enqueued) has_frames;
  decltype(&::amqp_data_in_buffer) has_bytes;
  decltype(&::amqp_maybe_release_buffers_on_channel) release_buffers;
  decltype(&::amqp_error_string2) error_text;

  /// Null where it cannot be loaded. Thread-safe.
  [[nodiscard]] static library const* get();
};

}  // namespace leasehold::inline v0_1::rabbitmq

#endif
