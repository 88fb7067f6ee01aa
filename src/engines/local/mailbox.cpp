#include "engines/local/mailbox.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::local {

bool mailbox::has_changed(mailbox_wait const& wait) noexcept {
  return std::any_of(wait.words.begin(), wait.words.end(),
                     [](auto const& w) { return w.word->load(std::memory_order_acquire) != w.expected; });
}

void mailbox::tell_listeners() noexcept {
  std::scoped_lock guard(listeners_guard_);
  for (auto const& l : listeners_) l.tell();
}

void mailbox::add(mailbox_wait& wait) {
  std::scoped_lock guard(waits_guard_);
  waits_.push_back(&wait);
}

void mailbox::remove(mailbox_wait& wait) noexcept {
  std::scoped_lock guard(waits_guard_);
  std::erase(waits_, &wait);
}

void mailbox::listen(void const* who, std::function<void()> tell) {
  std::scoped_lock guard(listeners_guard_);
  listeners_.push_back({who, std::move(tell)});
}

void mailbox::ignore(void const* who) noexcept {
  std::scoped_lock guard(listeners_guard_);
  std::erase_if(listeners_, [who](auto const& l) { return l.who == who; });
}

}  // namespace leasehold::inline v0_1::local
