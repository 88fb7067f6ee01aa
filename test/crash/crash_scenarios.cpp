#include "crash_lab.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace leasehold::test {
namespace {
using namespace std::chrono_literals;
using noter = std::function<void(lease const&)>;

std::string const long_name(255, 'n');

/// A thread of the same process in line behind a holder.
void hand_over(store const& locks, noter const& note, acquire_options const& first, acquire_options const& second) {
  auto held = locks.acquire("a", first);
  note(held);
  std::jthread waiter([&] { note(locks.acquire("a", second)); });
  while (locks.inspect("a").waiters.empty()) std::this_thread::yield();
  held.release();
}

void give_up_waiting(store const& locks, noter const& note) {
  auto const held = locks.acquire("a");
  note(held);
  std::error_code ec;
  static_cast<void>(locks.acquire("a", {.wait = 1ms}, {}, ec));
}

void fill_and_recycle(store const& locks, noter const& note) {
  for (int i = 0; i < 200; ++i) note(locks.acquire("recycled/" + std::to_string(i)));
}

void keep_with_ttl(store const& locks, noter const& note) {
  auto held = locks.acquire("a", {.ttl = 200ms, .renew = renewal::manual});
  note(held);
  held.renew();
  held.renew();
}

void evict_own(store const& locks, noter const& note, bool now) {
  auto const held = locks.acquire("a", {.ttl = 20ms, .renew = renewal::manual});
  note(held);
  locks.evict("a", held.token(), {.reason = "test", .now = now});
}

void detach_and_adopt(store const& locks, noter const& note) {
  auto held = locks.acquire("a", {.ttl = 100ms, .renew = renewal::manual});
  note(held);
  auto const ticket = held.detach();
  locks.adopt("a", ticket, {.ttl = 100ms, .renew = renewal::manual}).release();
}

void leave_notes(store const& locks, noter const& note) {
  auto held = locks.acquire("a", {.identity = long_name});
  note(held);
  for (auto const& text : left_behind()) held.note(text);
}

void complete(store const& locks, noter const& note) {
  auto held = locks.acquire("a");
  note(held);
  held.note(left_behind().front());
  while (locks.find_completion("a")) std::this_thread::yield();
  held.complete(left_behind().back(), 20ms);
}

/// Its own time ran out before: the end is written down, and read.
void follow_the_dead(store const& locks, noter const& note) {
  auto first = locks.acquire("a", {.ttl = 20ms, .renew = renewal::manual});
  note(first);
  std::error_code late;  // on a busy machine
  first.note(left_behind().back(), late);
  while (first.held()) std::this_thread::yield();
  auto const second = locks.acquire("a");
  note(second);
  static_cast<void>(second.previous(late));
}

}  // namespace

std::vector<std::string> const& left_behind() {
  static std::vector<std::string> const all{"step 1", std::string(250, 's')};
  return all;
}

std::vector<std::string> const& scenario_names() {
  static std::vector<std::string> const all{"a", "b", long_name, "recycled/7"};
  return all;
}

std::vector<scenario> const& scenarios() {
  static label const labels[] = {{"team", "storage"}};
  static std::vector<scenario> const all{
      {"exclusive", [](auto& s, auto& n) { n(s.acquire("a")); }},
      {"try", [](auto& s, auto& n) { n(*s.try_acquire("b")); }},
      {"long_name_and_metadata",
       [](auto& s, auto& n) {
         n(s.acquire(long_name, {.identity = long_name, .reason = long_name, .labels = labels}));
       }},
      {"ttl", keep_with_ttl},
      {"lock_delay", [](auto& s, auto& n) { n(s.acquire("a", {.lock_delay = 20ms})); }},
      {"hold_at_least", [](auto& s, auto& n) { n(s.acquire("a", {.hold_at_least = 20ms})); }},
      {"hand_over", [](auto& s, auto& n) { hand_over(s, n, {}, {}); }},
      {"hand_over_to_reader", [](auto& s, auto& n) { hand_over(s, n, {}, {.mode = mode::reader()}); }},
      {"hand_over_from_reader", [](auto& s, auto& n) { hand_over(s, n, {.mode = mode::reader()}, {}); }},
      {"give_up_waiting", give_up_waiting},
      {"reader", [](auto& s, auto& n) { n(s.acquire("a", {.mode = mode::reader()})); }},
      {"reader_with_ttl", [](auto& s, auto& n) { n(s.acquire("a", {.ttl = 20ms, .mode = mode::reader()})); }},
      {"semaphore", [](auto& s, auto& n) { n(s.acquire("a", {.mode = mode::semaphore(2)})); }},
      {"evict_now", [](auto& s, auto& n) { evict_own(s, n, true); }},
      {"evict_and_hold_off", [](auto& s, auto& n) { evict_own(s, n, false); }},
      {"detach_and_adopt", detach_and_adopt},
      {"recycle", fill_and_recycle},
      {"notes", leave_notes},
      {"complete", complete},
      {"follow_the_dead", follow_the_dead},
  };
  return all;
}

}  // namespace leasehold::test
