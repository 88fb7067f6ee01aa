#include "engines/redis/wire.hpp"

#include "model/assert.hpp"

#include <poll.h>

#include <algorithm>
#include <array>

namespace leasehold::inline v0_1::redis {
namespace {

constexpr duration greeting_max = std::chrono::seconds(5);

}  // namespace

failure wire::broken(std::string_view how) const {
  return {make_error_code(errc::unavailable), diagnostics(to_.shown + ": " + std::string(how), "is the server well?")};
}

result<void> wire::open(time_point now) {
  LEASEHOLD_ASSERT(is_down());
  auto begun = connect_plain(to_, attempts_++);
  if (begun && to_.tls.on) begun = wrap_tls(to_, std::move(*begun));
  if (!begun) return begun.get_failure();
  stream_ = std::move(*begun);
  phase_ = phase::connecting;
  give_up_at_ = now + greeting_max;
  heard_at_ = now;
  return {};
}

void wire::close() noexcept {
  phase_ = phase::down;
  stream_.reset();
  out_.clear();
  replies_.clear();
  written_ = greeted_ = 0;
  blocked_on_ = 0;
  backed_up_ = false;
}

result<void> wire::send(std::string_view bytes) {
  LEASEHOLD_ASSERT(is_up());
  out_.append(bytes);
  auto ok = flush();
  if (!ok) close();
  return ok;
}

result<void> wire::flush() {
  while (written_ < out_.size()) {
    auto const n = stream_->write(std::string_view(out_).substr(written_));
    if (!n) return n.get_failure();
    backed_up_ = n->events != 0;
    if (backed_up_) return {};
    written_ += n->bytes;
  }
  out_.clear();
  written_ = 0;
  auto const rest = stream_->flush();
  if (!rest) return rest.get_failure();
  backed_up_ = rest->events != 0;
  return {};
}

result<void> wire::fill(time_point now) {
  std::array<char, 16384> room;
  for (;;) {
    auto const n = stream_->read(room);
    if (!n) return n.get_failure();
    if (n->events != 0) return {};
    if (n->bytes == 0) return broken("the server closed the connection");
    heard_at_ = now;
    replies_.feed({room.data(), n->bytes});
    if (n->bytes < room.size()) return {};
  }
}

result<void> wire::greet() {
  while (greeted_ < hello_.size()) {
    auto const r = replies_.next();
    if (!r) return {};
    if (auto ok = hello_[greeted_].check(*r, to_); !ok) return ok;
    ++greeted_;
  }
  phase_ = phase::up;
  attempts_ = 0;
  return {};
}

result<void> wire::advance(time_point now) {
  if (is_down()) return {};
  auto ok = go(now);
  if (ok && replies_.broken()) ok = broken("it does not speak the Redis protocol (is it a TLS port? then: rediss:)");
  if (ok && !is_up() && now >= give_up_at_) {
    bool const securing = to_.tls.on && phase_ == phase::connecting;
    if (stream_->is_looking_up()) {
      ok = broken("its name was not resolved within 5 s (name servers?)");
    } else {
      ok = broken(securing ? "no TLS connection within 5 s (is it a plain port? then: redis:)"
                           : "no connection within 5 s");
    }
  }
  if (!ok) close();
  return ok;
}

result<void> wire::go(time_point now) {
  if (phase_ == phase::connecting) {
    auto const n = stream_->connect();
    if (!n) return n.get_failure();
    blocked_on_ = n->events;
    if (n->events != 0) return {};
    phase_ = phase::introducing;
    for (auto const& step : hello_) out_ += step.bytes;
  }
  if (auto ok = flush(); !ok) return ok;
  if (auto ok = fill(now); !ok) {
    if (phase_ != phase::introducing) return ok;
    // What came before the end may say why it ended.
    if (auto said = greet(); !said) return said;
    return greeted_ == 0 ? broken("the server hung up without a word (is it a TLS port? then: rediss:)") : ok;
  }
  return phase_ == phase::introducing ? greet() : result<void>();
}

readiness wire::awaits() const noexcept {
  if (is_down()) return {};
  readiness out{stream_, stream_->fd(), POLLIN, time_point::max()};
  if (backed_up_) out.events = POLLIN | POLLOUT;
  if (phase_ == phase::connecting) out.events = blocked_on_;
  if (!is_up()) out.until = give_up_at_;
  return out;
}

}  // namespace leasehold::inline v0_1::redis
