// Decides whether an image of a process that the store does not know any more can hold anything: resumed after its death was
// noticed, or after the store went through another boot.
#include "engines/local/local_support.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <unistd.h>

#include <cstddef>

namespace leasehold::test {
namespace {

class image : public local_store {
 protected:
  /// A process that holds, shares and waits, and stands for its own image: what it still believes in is looked at once the step
  /// says 2. Exits with the number of failures.
  std::unique_ptr<child_process> start() {
    auto child = std::make_unique<child_process>([this] {
      auto const store = open("?capacity=64");
      auto const held = store.claim("held");
      auto const shared = store.claim("shared", {.mode = mode::reader()});
      auto const other = store.claim("waited for");
      auto const waits = store.claim("waited for");
      EXPECT_TRUE(try_once(*held) && try_once(*shared) && try_once(*other));
      EXPECT_FALSE(try_and_queue(*waits));
      board->value = store.session().slot();
      board->step = 1;
      while (board->step != 2) std::this_thread::yield();
      for (auto const& c : {held.get(), shared.get(), other.get()}) {
        EXPECT_TRUE(c->revoked());
        EXPECT_EQ(c->renew_now()->error(), errc::lost);
        EXPECT_EQ(release(*c), errc::not_owner);
      }
      EXPECT_EQ(waits->attempt_now()->error(), errc::cancelled);
      EXPECT_FALSE(release(*waits));
      EXPECT_EQ(store.claim("new")->attempt_once_now()->error(), errc::cancelled);
    });
    EXPECT_TRUE(eventually([this] { return board->step == 1; }));
    return child;
  }
  void expect_void(opened_store const& store, std::unique_ptr<child_process> const& child) {
    auto const mine = store.claim("held");
    EXPECT_TRUE(acquire(*mine));
    auto const in_line = store.claim("held");
    EXPECT_FALSE(try_and_queue(*in_line));
    board->step = 2;
    EXPECT_EQ(child->wait(), 0);
    EXPECT_TRUE(mine->renew_now()->has_value()) << "the image ended nothing of ours";
    EXPECT_EQ(store.inspect("held").waiters.size(), 1U);
    for (auto const* name : {"shared", "waited for", "new"}) EXPECT_TRUE(store.inspect(name).holders.empty()) << name;
    EXPECT_FALSE(release(*in_line));
    EXPECT_FALSE(release(*mine));
  }
};

TEST_F(image, CLOCK_3_resumed_after_its_death_was_noticed_it_holds_and_gets_nothing) {
  LEASEHOLD_NEEDS_FORK();
  auto const child = start();
  auto const store = open();
  // What the kernel writes at its death. Killing it would leave nothing to be resumed.
  store.session().beacon_of(static_cast<std::uint16_t>(board->value.load())) = FUTEX_OWNER_DIED;
  expect_void(store, child);
}

TEST_F(image, CLOCK_3_resumed_in_another_boot_it_holds_and_gets_nothing) {
  LEASEHOLD_NEEDS_FORK();
  auto const child = start();
  std::array<std::uint64_t, 2> const another_boot{1, 2};
  int const fd = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_EQ(::pwrite(fd, another_boot.data(), 16, offsetof(local::header, boot)), 16);
  ::close(fd);
  expect_void(open(), child);
}

}  // namespace
}  // namespace leasehold::test
