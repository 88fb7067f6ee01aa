// Decides who is resumed by what the broker says, and what its refusals mean.
#include "engines/rabbitmq/pump.hpp"
#include "engines/rabbitmq/seat.hpp"
#include "engines/rabbitmq/talk.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::rabbitmq {

duration pump::ttl_most() const noexcept {
  return wire_ ? std::min<duration>(settings_.ttl_max(), 2 * wire_->heartbeat()) : settings_.ttl_max();
}

result<void> pump::ensure_up() {
  if (closing_) return failure{make_error_code(errc::cancelled), diagnostics("the store was closed")};
  if (wire_) return {};
  if (failures_ > 0 && now() < next_try_) return down_why_;
  constexpr duration step_most = std::chrono::seconds(5);
  for (std::size_t tried = 0; tried < settings_.hosts.size(); ++tried, ++host_) {
    auto made = wire::connect(settings_, settings_.hosts[host_ % settings_.hosts.size()], step_most);
    if (made) {
      wire_ = std::move(*made);
      ++epoch_;
      failures_ = 0;
      published_ = 0;
      verified_.clear();
      return {};
    }
    down_why_ = made.get_failure();
  }
  constexpr duration pause_least = std::chrono::milliseconds(50);
  constexpr int doublings_most = 4;
  next_try_ = now() + pause_least * (1 << std::min(failures_++, doublings_most));
  return down_why_;
}

void pump::go_down(failure const& why) {
  wire_.reset();
  down_why_ = why;
  for (auto& waiting : replies_) {
    for (auto* const w : waiting) {
      if (w != nullptr) ready_.push_back(w->resume_);
    }
    waiting.clear();
  }
  for (auto const& [number, w] : confirms_) {
    w->why_ = failure{make_error_code(errc::outcome_unknown), why.details};
    ready_.push_back(w->resume_);
  }
  confirms_.clear();
  bool any = false;
  for (auto const& s : seats_) {
    any |= s->lose_with_connection();
    ring(s->event);
  }
  talk_->connection_lost();
  if (any) lost_one();
}

void pump::take(incoming&& what) {
  switch (what.what) {
    case incoming::kind::reply: {
      auto& waiting = replies_[static_cast<std::size_t>(what.on)];
      if (waiting.empty()) return;
      auto* const first = waiting.front();
      waiting.pop_front();
      if (first == nullptr) return;
      first->answer_ = std::move(what);
      ready_.push_back(first->resume_);
      return;
    }
    case incoming::kind::confirm:
    case incoming::kind::refuse:
      return take_confirm(what);
    case incoming::kind::returned:
      for (auto const& [number, w] : confirms_) {
        if (w->queue_ == what.consumer)
          w->why_ = failure{make_error_code(errc::misconfigured),
                            diagnostics(settings_.shown + ": the lock's queue was deleted", "ask again")};
      }
      return;
    case incoming::kind::deliver:
      return take_delivery(std::move(what));
    case incoming::kind::cancelled:
      for (auto const& s : seats_) {
        if (s->tag != what.consumer) continue;
        verified_.erase(s->queue);
        if (s->lose_with_queue()) lost_one();
        ring(s->event);
      }
      return;
    case incoming::kind::channel_closed:
      return take_closed_channel(std::move(what));
  }
}

void pump::take_delivery(incoming&& what) {
  if (what.on == channel::talk) return talk_->take(what.body);
  auto const found =
      std::ranges::find(seats_, what.consumer, [](auto const& s) -> std::string const& { return s->tag; });
  if (found == seats_.end()) return wire_->give_back(what.tag);
  auto read = token_of(what.body);
  auto& s = **found;
  if (!read)
    s.strange = read.get_failure();  // it is given back when the seat has left the line; before, it would come again
  if (read && read->id.empty()) ++odd.foreign;
  s.hand.push_back({what.tag, what.redelivered, now(), read ? std::move(*read) : token()});
  ring(s.event);
}

void pump::take_confirm(incoming const& what) {
  bool const refused = what.what == incoming::kind::refuse;
  auto const from = what.multiple ? confirms_.begin() : confirms_.lower_bound(what.tag);
  auto const to = confirms_.upper_bound(what.tag);
  for (auto it = from; it != to; ++it) {
    if (refused) {
      it->second->why_ = failure{make_error_code(errc::unavailable),
                                 diagnostics(settings_.shown + ": the broker refused to keep the lock's token",
                                             "is it out of memory or disk, or is there a length limit on the queue?")};
    }
    ready_.push_back(it->second->resume_);
  }
  confirms_.erase(from, to);
}

void pump::take_closed_channel(incoming&& what) {
  if (what.on != channel::look) {
    bool const too_long = what.text.find("delivery acknowledgement") != std::string::npos;
    auto const hint = too_long
                          ? "say consumer_timeout= of rabbitmq.conf in the URL, so that leases are taken anew in time"
                          : "see the broker's log";
    return go_down(failure{make_error_code(errc::unavailable),
                           diagnostics(settings_.shown + ": the broker closed the channel", hint, what.text)});
  }
  wire_->reopen_look();
  auto& waiting = replies_[static_cast<std::size_t>(channel::look)];
  bool first = true;
  for (auto* const w : waiting) {
    if (w == nullptr) continue;
    w->answer_ = what;
    w->answer_->multiple = !std::exchange(first, false);  // the rest was never looked at
    ready_.push_back(w->resume_);
  }
  waiting.clear();
  waiting.push_back(nullptr);
}

pump::reply_wait pump::reply(channel on) { return {*this, on}; }

void pump::reply_wait::await_suspend(std::coroutine_handle<> self) {
  resume_ = self;
  in_.replies_[static_cast<std::size_t>(on_)].push_back(this);
}

result<incoming> pump::reply_wait::await_resume() {
  if (!answer_) return failure{make_error_code(errc::outcome_unknown), in_.down_why_.details};
  return std::move(*answer_);
}

pump::confirm_wait pump::publish(std::string const& queue, std::string_view body) {
  if (!wire_) return {*this, queue, 0};
  wire_->publish(channel::work, "", queue, body);
  return {*this, queue, ++published_};
}

void pump::confirm_wait::await_suspend(std::coroutine_handle<> self) {
  resume_ = self;
  in_.confirms_.emplace(number_, this);
}

result<void> pump::confirm_wait::await_resume() {
  if (number_ == 0) return failure{make_error_code(errc::unavailable), in_.down_why_.details};
  if (why_) return *why_;
  return {};
}

spi::task<result<void>> pump::barrier() {
  if (!wire_) co_return failure{make_error_code(errc::unavailable), down_why_.details};
  wire_->barrier(channel::work);
  auto const r = co_await reply(channel::work);
  if (!r) co_return r.get_failure();
  co_return result<void>();
}

}  // namespace leasehold::inline v0_1::rabbitmq
