// Decides how a connection to a broker is made ready for locks, and what each refusal on the way means.
#include "engines/rabbitmq/names.hpp"
#include "engines/rabbitmq/wire_parts.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace leasehold::inline v0_1::rabbitmq {

#if defined(LEASEHOLD_WITH_RABBITMQ)
namespace {

failure failed(errc code, settings const& to, std::string const& what, std::string hint, std::string broker_says = {}) {
  return {make_error_code(code), diagnostics(to.shown + ": " + what, std::move(hint), std::move(broker_says))};
}

/// What a broker that closes the connection during the login means.
failure closed(settings const& to, std::uint16_t code, std::string const& text) {
  if (code == AMQP_ACCESS_REFUSED) {
    return failed(errc::auth, to, "the broker refused user \"" + to.user + "\"", "check user and password in the URL",
                  text);
  }
  if (code == AMQP_NOT_ALLOWED || code == AMQP_INVALID_PATH) {
    bool const missing = text.find("not found") != std::string::npos;
    auto const hint = missing ? "rabbitmqctl add_vhost " + to.vhost + ", or name another one: amqp://host/vhost"
                              : "rabbitmqctl set_permissions -p " + to.vhost + " " + to.user + " '.*' '.*' '.*'";
    return failed(missing ? errc::misconfigured : errc::auth, to, "no entry to vhost \"" + to.vhost + "\"", hint, text);
  }
  return failed(errc::unavailable, to, "the broker closed the connection", "see its log", text);
}

/// What the library's own failure means.
failure broke(settings const& to, spi::endpoint const& at, int status, std::string const& text) {
  auto const place = at.host + ":" + std::to_string(at.port);
  switch (status) {
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
      return failed(errc::misconfigured, to, "the certificate of " + place + " cannot be trusted: " + text,
                    "give ca=FILE of its authority, and the host's name as in the certificate");
    case AMQP_STATUS_SSL_ERROR:
    case AMQP_STATUS_SSL_CONNECTION_FAILED:
      return failed(errc::misconfigured, to, "no TLS with " + place + ": " + text,
                    "does it speak TLS there? its port for that is usually 5671");
    case AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
    case AMQP_STATUS_BAD_AMQP_DATA:
      return failed(errc::misconfigured, to, place + " does not speak AMQP 0-9-1",
                    "is it a broker's port? usually 5672, with TLS 5671");
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED:
      return failed(errc::unavailable, to, "the host " + at.host + " is not known", "check the name in the URL");
    default:
      return failed(errc::unavailable, to, "no connection to " + place + ": " + text, "is the broker running there?");
  }
}

/// The steps of one connection.
class steps {
 public:
  steps(wire::parts& p, settings const& to, spi::endpoint const& at) : p_(p), to_(to), at_(at) {}

  result<void> reach(timeval const& limit) {
    auto const socket = make_socket();
    if (!socket) return socket.get_failure();
    if (int const s = p_.lib.open_socket(*socket, at_.host.c_str(), at_.port, &limit); s != AMQP_STATUS_OK) {
      return broke(to_, at_, s, p_.lib.error_text(s));
    }
    // A broker that stopped taking our bytes is not waited for longer than a lease may last.
    auto const patience = static_cast<unsigned>(std::chrono::milliseconds(to_.heartbeat).count() * 2);
    ::setsockopt(p_.lib.socket_of(p_.connection), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
    return {};
  }

  result<void> log_in() {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    auto const name = "leasehold " + std::string(host.data()) + "/" + std::to_string(::getpid());
    amqp_table_entry_t named{};
    named.key = bytes_of("connection_name");
    named.value.kind = AMQP_FIELD_KIND_UTF8;
    named.value.value.bytes = bytes_of(name);
    // Asked for, or the deletion of a queue would be told to nobody.
    amqp_table_entry_t notified{};
    notified.key = bytes_of("consumer_cancel_notify");
    notified.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    notified.value.value.boolean = 1;
    amqp_table_entry_t capabilities{};
    capabilities.key = bytes_of("capabilities");
    capabilities.value.kind = AMQP_FIELD_KIND_TABLE;
    capabilities.value.value.table = {1, &notified};
    std::array<amqp_table_entry_t, 2> entries{named, capabilities};
    amqp_table_t const properties{2, entries.data()};
    constexpr int frame_bytes_max = 131072;
    auto const r =
        p_.lib.login(p_.connection, to_.vhost.c_str(), 0, frame_bytes_max, static_cast<int>(to_.heartbeat.count()),
                     &properties, AMQP_SASL_METHOD_PLAIN, to_.user.c_str(), to_.password.reveal().c_str());
    if (auto ok = read(r, "logging in"); !ok) return ok;
    read_server();
    return {};
  }

  result<void> open_channels() {
    for (auto const c : {channel::work, channel::look, channel::talk}) {
      amqp_channel_open_t m{};
      if (auto ok = call(c, AMQP_CHANNEL_OPEN_METHOD, AMQP_CHANNEL_OPEN_OK_METHOD, m, "opening a channel"); !ok)
        return ok;
    }
    amqp_confirm_select_t confirms{};
    if (auto ok = call(channel::work, AMQP_CONFIRM_SELECT_METHOD, AMQP_CONFIRM_SELECT_OK_METHOD, confirms,
                       "asking for confirms");
        !ok)
      return ok;
    amqp_basic_qos_t qos{};
    qos.prefetch_count = 2;
    return call(channel::work, AMQP_BASIC_QOS_METHOD, AMQP_BASIC_QOS_OK_METHOD, qos, "limiting deliveries");
  }

  /// Where other stores ask, and are answered.
  result<void> open_mailbox() {
    auto const exchange = exchange_of(to_.prefix);
    amqp_exchange_declare_t e{};
    e.exchange = bytes_of(exchange);
    e.type = bytes_of("fanout");
    e.durable = 1;
    if (auto ok = call(channel::talk, AMQP_EXCHANGE_DECLARE_METHOD, AMQP_EXCHANGE_DECLARE_OK_METHOD, e,
                       "declaring exchange " + exchange);
        !ok)
      return ok;
    amqp_queue_declare_t q{};
    q.exclusive = q.auto_delete = 1;
    amqp_method_t answer{};
    if (auto ok = call(channel::talk, AMQP_QUEUE_DECLARE_METHOD, AMQP_QUEUE_DECLARE_OK_METHOD, q,
                       "declaring a queue of its own", &answer);
        !ok)
      return ok;
    p_.mailbox = text_of(static_cast<amqp_queue_declare_ok_t const*>(answer.decoded)->queue);
    amqp_queue_bind_t b{};
    b.queue = bytes_of(p_.mailbox);
    b.exchange = bytes_of(exchange);
    if (auto ok = call(channel::talk, AMQP_QUEUE_BIND_METHOD, AMQP_QUEUE_BIND_OK_METHOD, b,
                       "binding to exchange " + exchange);
        !ok)
      return ok;
    amqp_basic_consume_t c{};
    c.queue = bytes_of(p_.mailbox);
    c.consumer_tag = bytes_of("talk");
    c.no_ack = c.exclusive = 1;
    return call(channel::talk, AMQP_BASIC_CONSUME_METHOD, AMQP_BASIC_CONSUME_OK_METHOD, c,
                "reading a queue of its own");
  }

 private:
  result<amqp_socket_t*> make_socket() {
    auto* const socket = to_.tls ? p_.lib.new_tls_socket(p_.connection) : p_.lib.new_tcp_socket(p_.connection);
    if (socket == nullptr) return failed(errc::unavailable, to_, "no socket", "too many descriptors?");
    if (!to_.tls) return socket;
    p_.lib.verify_peer(socket, to_.verify);
    p_.lib.verify_host(socket, to_.verify);
    auto const bad_file = [&](std::string const& key, std::string const& path) {
      return failed(errc::misconfigured, to_, key + "=" + path + " cannot be used",
                    "is it there, readable, and in PEM format?");
    };
    if (!to_.ca_file.empty() && p_.lib.set_authority(socket, to_.ca_file.c_str()) != AMQP_STATUS_OK)
      return bad_file("ca", to_.ca_file);
    if (!to_.cert_file.empty() &&
        p_.lib.set_key(socket, to_.cert_file.c_str(), to_.key_file.c_str()) != AMQP_STATUS_OK) {
      return bad_file("cert", to_.cert_file);
    }
    return socket;
  }

  template <class M>
  result<void> call(channel on, amqp_method_number_t method, amqp_method_number_t answer, M& what,
                    std::string const& doing, amqp_method_t* out = nullptr) {
    std::array<amqp_method_number_t, 2> expected{answer, 0};
    auto const r = p_.lib.call(p_.connection, number_of(on), method, expected.data(), &what);
    if (out != nullptr) *out = r.reply;
    return read(r, doing);
  }

  result<void> read(amqp_rpc_reply_t const& r, std::string const& doing) {
    if (r.reply_type == AMQP_RESPONSE_NORMAL) return {};
    if (r.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
      return broke(to_, at_, r.library_error, p_.lib.error_text(r.library_error));
    if (r.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
      auto const& c = *static_cast<amqp_connection_close_t const*>(r.reply.decoded);
      return closed(to_, c.reply_code, text_of(c.reply_text));
    }
    std::string text;
    std::uint16_t code = 0;
    if (r.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
      auto const& c = *static_cast<amqp_channel_close_t const*>(r.reply.decoded);
      text = text_of(c.reply_text);
      code = c.reply_code;
    }
    if (code != AMQP_ACCESS_REFUSED)
      return failed(errc::misconfigured, to_, doing + " was refused", "see the broker's words", text);
    return failed(errc::auth, to_, "user \"" + to_.user + "\" lacks rights: " + doing + " was refused",
                  "rabbitmqctl set_permissions -p " + to_.vhost + " " + to_.user + " '^(" + to_.prefix +
                      "[.:#!]|amq.gen).*' '^(" + to_.prefix + "[.:#!]|amq.(gen|default)).*' '^(" + to_.prefix +
                      "[.:#!]|amq.gen).*'",
                  text);
  }

  void read_server() {
    auto const* const t = p_.lib.server_properties(p_.connection);
    std::string version;
    for (int i = 0; t != nullptr && i < t->num_entries; ++i) {
      auto const& e = t->entries[i];
      if (e.value.kind != AMQP_FIELD_KIND_UTF8) continue;
      if (text_of(e.key) == "product") p_.server = text_of(e.value.value.bytes);
      if (text_of(e.key) == "version") version = text_of(e.value.value.bytes);
    }
    p_.server += " " + version;
    constexpr int first_with_a_default_limit = 4;
    p_.knows_delivery_limit = std::atoi(version.c_str()) >= first_with_a_default_limit;
  }

  wire::parts& p_;
  settings const& to_;
  spi::endpoint const& at_;
};

}  // namespace

result<std::unique_ptr<wire>> wire::connect(settings const& to, spi::endpoint const& at, duration at_most) {
  auto const* const lib = library::get();
  if (lib == nullptr) {
    return failed(errc::unsupported, to, "librabbitmq cannot be loaded",
                  "install it: Debian's package is librabbitmq4");
  }
  auto p = std::make_unique<parts>(*lib);
  p->shown = to.shown;
  auto const us = std::chrono::duration_cast<std::chrono::microseconds>(at_most).count();
  timeval const limit{us / 1'000'000, us % 1'000'000};
  lib->set_handshake_timeout(p->connection, &limit);
  lib->set_rpc_timeout(p->connection, &limit);
  steps s(*p, to, at);
  if (auto ok = s.reach(limit); !ok) return ok.get_failure();
  if (auto ok = s.log_in(); !ok) return ok.get_failure();
  if (auto ok = s.open_channels(); !ok) return ok.get_failure();
  if (auto ok = s.open_mailbox(); !ok) return ok.get_failure();
  return std::unique_ptr<wire>(new wire(std::move(p)));
}

#else

result<std::unique_ptr<wire>> wire::connect(settings const&, spi::endpoint const&, duration) {
  return failure{make_error_code(errc::unsupported),
                 diagnostics("this build knows no amqp:",
                             "build it with librabbitmq's headers: Debian's package is librabbitmq-dev")};
}

#endif

}  // namespace leasehold::inline v0_1::rabbitmq
