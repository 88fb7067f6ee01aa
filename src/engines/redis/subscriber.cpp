#include "engines/redis/subscriber.hpp"

namespace leasehold::inline v0_1::redis {

struct subscriber::listener final : party {
  explicit listener(ear& e) noexcept : who(e) {}
  ear& who;
};

void subscriber::expect(ear& who, std::string_view owner) {
  std::lock_guard const hold(guard_);
  if (who.owner != owner) {
    ears_.erase(who.owner);
    who.owner = owner;
    ears_.emplace(who.owner, &who);
  }
  who.called = false;
  who.epoch = wire_.is_up() ? epoch_ : 0;
}

void subscriber::forget(ear& who) noexcept {
  std::lock_guard const hold(guard_);
  if (who.owner.empty()) return;
  ears_.erase(who.owner);
  who.owner.clear();
}

spi::task<spi::wake> subscriber::listen(ear& who, time_point until) {
  auto me = std::make_shared<listener>(who);
  co_return co_await attend(std::move(me), until);
}

void subscriber::relax(time_point now) noexcept {
  std::lock_guard const hold(guard_);
  constexpr duration linger = std::chrono::seconds(1);
  if (ears_.empty() && !wire_.is_down() && now - used_at_ > linger) wire_.close();
}

void subscriber::on_join(party& me) {
  auto& who = static_cast<listener&>(me).who;
  used_at_ = now_;
  who.listening = &me;
  if (who.called || (wire_.is_up() && who.epoch != epoch_)) finish(me);
}

void subscriber::on_leave(party& me) noexcept {
  used_at_ = now_;
  static_cast<listener&>(me).who.listening = nullptr;
}

void subscriber::on_up() {
  ++epoch_;
  for (auto const& [owner, who] : ears_) {
    if (who->listening != nullptr) finish(*who->listening);
  }
}

void subscriber::on_reply(reply&& r) {
  if (r.at(0).text != "message") return;
  auto const found = ears_.find(r.at(2).text);
  if (found == ears_.end()) return;
  found->second->called = true;
  if (found->second->listening != nullptr) finish(*found->second->listening);
}

/// Those who listen go on; they look again when it is up again, or by their own time.
void subscriber::on_down(failure const& /*why*/) {}

}  // namespace leasehold::inline v0_1::redis
