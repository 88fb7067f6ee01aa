#include "engines/rabbitmq/wire.hpp"

#include "engines/rabbitmq/wire_parts.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace leasehold::inline v0_1::rabbitmq {

#if defined(LEASEHOLD_WITH_RABBITMQ)

wire::wire(std::unique_ptr<parts> p) : p_(std::move(p)) {}
wire::~wire() = default;
int wire::fd() const noexcept { return p_->lib.socket_of(p_->connection); }
std::chrono::seconds wire::heartbeat() const noexcept {
  return std::chrono::seconds(p_->lib.heartbeat_of(p_->connection));
}
std::string const& wire::server() const noexcept { return p_->server; }
std::string const& wire::mailbox() const noexcept { return p_->mailbox; }
bool wire::is_broken() const noexcept { return p_->broken; }

namespace {

constexpr std::uint8_t persistent = 2;

amqp_table_entry_t text_entry(std::string_view key, std::string_view value) {
  amqp_table_entry_t e{};
  e.key = bytes_of(key);
  e.value.kind = AMQP_FIELD_KIND_UTF8;
  e.value.value.bytes = bytes_of(value);
  return e;
}

amqp_table_entry_t flag_entry(std::string_view key, bool value) {
  amqp_table_entry_t e{};
  e.key = bytes_of(key);
  e.value.kind = AMQP_FIELD_KIND_BOOLEAN;
  e.value.value.boolean = value;
  return e;
}

amqp_table_entry_t number_entry(std::string_view key, std::int32_t value) {
  amqp_table_entry_t e{};
  e.key = bytes_of(key);
  e.value.kind = AMQP_FIELD_KIND_I32;
  e.value.value.i32 = value;
  return e;
}

}  // namespace

void wire::declare(std::string_view queue, bool passive) {
  std::array<amqp_table_entry_t, 3> arguments{text_entry("x-queue-type", "quorum"),
                                              flag_entry("x-single-active-consumer", true),
                                              number_entry("x-delivery-limit", -1)};
  amqp_queue_declare_t m{};
  m.queue = bytes_of(queue);
  m.passive = passive;
  m.durable = true;
  m.arguments = {p_->knows_delivery_limit ? 3 : 2, arguments.data()};
  p_->send(channel::look, AMQP_QUEUE_DECLARE_METHOD, m);
}

void wire::declare_latch(std::string_view queue) {
  amqp_queue_declare_t m{};
  m.queue = bytes_of(queue);
  m.exclusive = m.auto_delete = 1;
  p_->send(channel::look, AMQP_QUEUE_DECLARE_METHOD, m);
}

void wire::barrier(channel on) {
  amqp_basic_qos_t m{};
  m.prefetch_count = 2;  // a second token shows itself while the first is in hand
  p_->send(on, AMQP_BASIC_QOS_METHOD, m);
}

void wire::consume(std::string_view queue, std::string_view tag) {
  amqp_basic_consume_t m{};
  m.queue = bytes_of(queue);
  m.consumer_tag = bytes_of(tag);
  p_->send(channel::work, AMQP_BASIC_CONSUME_METHOD, m);
}

void wire::cancel(std::string_view tag) {
  amqp_basic_cancel_t m{};
  m.consumer_tag = bytes_of(tag);
  p_->send(channel::work, AMQP_BASIC_CANCEL_METHOD, m);
}

void wire::publish(channel on, std::string_view exchange, std::string_view key, std::string_view body) {
  if (p_->broken) return;
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG;
  properties.delivery_mode = on == channel::work ? persistent : 1;
  properties.content_type = bytes_of("text/plain");
  bool const must_arrive = on == channel::work;
  p_->failed_with(p_->lib.publish(p_->connection, number_of(on), bytes_of(exchange), bytes_of(key), must_arrive, 0,
                                  &properties, bytes_of(body)));
}

void wire::ack(std::uint64_t delivery) {
  if (!p_->broken) p_->failed_with(p_->lib.ack(p_->connection, number_of(channel::work), delivery, 0));
}

void wire::give_back(std::uint64_t delivery) {
  if (!p_->broken) p_->failed_with(p_->lib.nack(p_->connection, number_of(channel::work), delivery, 0, 1));
}

void wire::remove(std::string_view queue) {
  amqp_queue_delete_t m{};
  m.queue = bytes_of(queue);
  p_->send(channel::look, AMQP_QUEUE_DELETE_METHOD, m);
}

void wire::reopen_look() {
  amqp_channel_close_ok_t closed{};
  p_->send(channel::look, AMQP_CHANNEL_CLOSE_OK_METHOD, closed);
  amqp_channel_open_t open{};
  p_->send(channel::look, AMQP_CHANNEL_OPEN_METHOD, open);
}

void wire::close(duration at_most) noexcept {
  if (p_->broken) return;
  auto const us = std::chrono::duration_cast<std::chrono::microseconds>(at_most).count();
  timeval const limit{us / 1'000'000, us % 1'000'000};
  p_->lib.set_rpc_timeout(p_->connection, &limit);
  static_cast<void>(p_->lib.close_connection(p_->connection, AMQP_REPLY_SUCCESS));
  p_->broken = true;
}

namespace {

/// What a method means to us; nullopt: nothing.
std::optional<incoming> read_method(amqp_method_t const& m, channel on) {
  incoming out;
  out.on = on;
  switch (m.id) {
    case AMQP_QUEUE_DECLARE_OK_METHOD: {
      auto const& d = *static_cast<amqp_queue_declare_ok_t const*>(m.decoded);
      out.messages = d.message_count;
      out.consumers = d.consumer_count;
      return out;
    }
    case AMQP_BASIC_QOS_OK_METHOD:
    case AMQP_BASIC_CONSUME_OK_METHOD:
    case AMQP_BASIC_CANCEL_OK_METHOD:
    case AMQP_CHANNEL_OPEN_OK_METHOD:
    case AMQP_QUEUE_DELETE_OK_METHOD:
      return out;
    case AMQP_BASIC_ACK_METHOD: {
      auto const& a = *static_cast<amqp_basic_ack_t const*>(m.decoded);
      out.what = incoming::kind::confirm;
      out.tag = a.delivery_tag;
      out.multiple = a.multiple != 0;
      return out;
    }
    case AMQP_BASIC_NACK_METHOD: {
      auto const& a = *static_cast<amqp_basic_nack_t const*>(m.decoded);
      out.what = incoming::kind::refuse;
      out.tag = a.delivery_tag;
      out.multiple = a.multiple != 0;
      return out;
    }
    case AMQP_BASIC_DELIVER_METHOD: {
      auto const& d = *static_cast<amqp_basic_deliver_t const*>(m.decoded);
      out.what = incoming::kind::deliver;
      out.tag = d.delivery_tag;
      out.redelivered = d.redelivered != 0;
      out.consumer = text_of(d.consumer_tag);
      return out;
    }
    case AMQP_BASIC_RETURN_METHOD: {
      auto const& r = *static_cast<amqp_basic_return_t const*>(m.decoded);
      out.what = incoming::kind::returned;
      out.text = text_of(r.reply_text);
      out.consumer = text_of(r.routing_key);
      return out;
    }
    case AMQP_BASIC_CANCEL_METHOD:
      out.what = incoming::kind::cancelled;
      out.consumer = text_of(static_cast<amqp_basic_cancel_t const*>(m.decoded)->consumer_tag);
      return out;
    case AMQP_CHANNEL_CLOSE_METHOD: {
      auto const& c = *static_cast<amqp_channel_close_t const*>(m.decoded);
      out.what = incoming::kind::channel_closed;
      out.code = c.reply_code;
      out.text = text_of(c.reply_text);
      return out;
    }
    default:
      return std::nullopt;
  }
}

bool has_content(incoming::kind k) { return k == incoming::kind::deliver || k == incoming::kind::returned; }

}  // namespace

result<std::optional<incoming>> wire::next() {
  auto& p = *p_;
  auto const lost = [&] {
    return failure{make_error_code(errc::unavailable), diagnostics(p.shown + ": the connection broke: " + p.why)};
  };
  for (;;) {
    if (p.broken) return lost();
    timeval const at_once{0, 0};
    amqp_frame_t frame{};
    int const status = p.lib.next_frame(p.connection, &frame, &at_once);
    if (status == AMQP_STATUS_TIMEOUT) return std::optional<incoming>();
    p.failed_with(status);
    if (p.broken) return lost();
    std::optional<incoming> out;
    if (frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_CONNECTION_CLOSE_METHOD) {
      p.broken = true;
      p.why = text_of(static_cast<amqp_connection_close_t const*>(frame.payload.method.decoded)->reply_text);
    } else if (frame.frame_type == AMQP_FRAME_METHOD) {
      out = read_method(frame.payload.method, static_cast<channel>(frame.channel));
      if (out && has_content(out->what)) p.content = std::exchange(out, std::nullopt);
    } else if (frame.frame_type == AMQP_FRAME_HEADER && p.content) {
      p.content_left = frame.payload.properties.body_size;
      if (p.content_left == 0) out = std::exchange(p.content, std::nullopt);
    } else if (frame.frame_type == AMQP_FRAME_BODY && p.content) {
      p.content->body += text_of(frame.payload.body_fragment);
      p.content_left -= std::min<std::uint64_t>(p.content_left, frame.payload.body_fragment.len);
      if (p.content_left == 0) out = std::exchange(p.content, std::nullopt);
    }
    p.lib.release_buffers(p.connection, frame.channel);
    if (out) return out;
  }
}

#else

struct wire::parts {};
wire::wire(std::unique_ptr<parts> p) : p_(std::move(p)) {}
wire::~wire() = default;
int wire::fd() const noexcept { return -1; }
std::chrono::seconds wire::heartbeat() const noexcept { return {}; }
namespace {
std::string const nothing;
}
std::string const& wire::server() const noexcept { return nothing; }
std::string const& wire::mailbox() const noexcept { return nothing; }
bool wire::is_broken() const noexcept { return true; }
result<std::optional<incoming>> wire::next() { return errc::unsupported; }
void wire::declare(std::string_view, bool) {}
void wire::declare_latch(std::string_view) {}
void wire::barrier(channel) {}
void wire::consume(std::string_view, std::string_view) {}
void wire::cancel(std::string_view) {}
void wire::publish(channel, std::string_view, std::string_view, std::string_view) {}
void wire::ack(std::uint64_t) {}
void wire::give_back(std::uint64_t) {}
void wire::remove(std::string_view) {}
void wire::reopen_look() {}
void wire::close(duration) noexcept {}

#endif

}  // namespace leasehold::inline v0_1::rabbitmq
