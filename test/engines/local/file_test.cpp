// Decides whether only sound store files are used, and none is ever made over another.
#include "engines/local/local_support.hpp"
#include "engines/local/location.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <random>
#include <thread>

namespace leasehold::test {
namespace {

using file = local_store;

failure refusal(std::string const& path, std::string const& query = "") {
  auto const url = spi::parse_url("local:" + path + query).value();
  auto opened = local::open_local(url, false);
  EXPECT_FALSE(opened.has_value());
  return opened ? failure(errc::internal) : opened.get_failure();
}

void expect_refused(failure const& f, errc code, std::string_view word) {
  EXPECT_EQ(f.code, code) << f.details.message();
  EXPECT_NE(f.details.message().find(word), std::string::npos) << f.details.message();
}

void patch(std::string const& path, std::size_t at, void const* bytes, std::size_t count) {
  int const fd = ::open(path.c_str(), O_RDWR);
  ASSERT_EQ(::pwrite(fd, bytes, count, static_cast<off_t>(at)), static_cast<ssize_t>(count));
  ::close(fd);
}

TEST_F(file, LOCAL_8_the_file_is_complete_and_allocated_when_it_appears) {
  auto const store = open();
  struct ::stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(static_cast<std::uint64_t>(status.st_size), store.session().mem().geometry().bytes);
  EXPECT_GE(static_cast<std::uint64_t>(status.st_blocks) * 512, store.session().mem().geometry().bytes);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory()), {}), 1) << "no temporary file is left";
}

TEST_F(file, LOCAL_8_a_truncated_file_is_refused) {
  { auto const store = open(); }
  for (auto const length : {0UL, 10UL, 4095UL, 4096UL, 1'000'000UL}) {
    std::filesystem::resize_file(path(), length);
    auto const f = refusal(path());
    EXPECT_EQ(f.code, errc::misconfigured);
    EXPECT_NE(f.details.message().find(path()), std::string::npos);
    EXPECT_FALSE(f.details.hint().empty());
  }
}

TEST_F(file, LOCAL_9_what_is_no_sound_store_is_refused_and_left_alone) {
  { auto const store = open(); }
  auto damage = [&](std::size_t at, std::uint32_t value, std::string_view word) {
    std::uint32_t before = 0;
    int const fd = ::open(path().c_str(), O_RDONLY);
    ASSERT_EQ(::pread(fd, &before, 4, static_cast<off_t>(at)), 4);
    ::close(fd);
    patch(path(), at, &value, 4);
    expect_refused(refusal(path()), errc::misconfigured, word);
    patch(path(), at, &before, 4);
  };
  damage(offsetof(local::header, magic), 0, "not a leasehold store");
  damage(offsetof(local::header, version), 99, "newer");
  damage(offsetof(local::header, version), 0, "damaged");
  damage(offsetof(local::header, layout_hash), 1, "damaged");
  damage(offsetof(local::header, capacity), 7, "damaged");
  damage(offsetof(local::header, uuid), 7, "damaged");
  damage(offsetof(local::header, checksum), 7, "damaged");
  auto const store = open();  // nothing of this changed it
  std::ofstream(directory() / "text") << std::string(10'000, 'x');
  expect_refused(refusal((directory() / "text").string()), errc::misconfigured, "not a leasehold store");
  EXPECT_EQ(std::filesystem::file_size(directory() / "text"), 10'000U);
  expect_refused(refusal(directory().string()), errc::misconfigured, directory().string());
  EXPECT_EQ(refusal("/dev/null").code, errc::misconfigured);
  EXPECT_EQ(refusal((directory() / "text" / "x").string()).code, errc::misconfigured);
}

TEST_F(file, LOCAL_9_an_older_layout_is_refused_by_name) {
  { auto const store = open(); }
  // A sound header of another layout: the checksum is right.
  std::array<char, 64> head{};
  int const fd = ::open(path().c_str(), O_RDONLY);
  ASSERT_EQ(::pread(fd, head.data(), head.size(), 0), 64);
  ::close(fd);
  head[offsetof(local::header, layout_hash)] ^= 1;
  auto const sum = static_cast<std::uint32_t>(local::hash_name({head.data(), offsetof(local::header, checksum)}));
  std::memcpy(head.data() + offsetof(local::header, checksum), &sum, 4);
  patch(path(), 0, head.data(), head.size());
  expect_refused(refusal(path()), errc::misconfigured, "layout");
}

TEST_F(file, LOCAL_9_creation_never_replaces_a_live_file) {
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  local::location where;
  where.path = path();
  EXPECT_TRUE(local::create_file(where).has_value());
  EXPECT_TRUE(local::initialize_local(spi::parse_url("local:" + path()).value()).has_value());
  auto const again = open();
  auto b = again.claim("x");
  EXPECT_FALSE(try_once(*b));
  EXPECT_FALSE(release(*a));
}

TEST_F(file, LOCAL_9_many_that_create_at_once_share_one_file) {
  LEASEHOLD_NEEDS_FORK();
  std::vector<std::unique_ptr<child_process>> all;
  for (int i = 0; i < 6; ++i) {
    all.push_back(std::make_unique<child_process>([&] {
      while (board->step == 0) std::this_thread::yield();
      auto const store = open("?capacity=64");
      auto const c = store.claim("x");
      if (try_once(*c)) board->inside++;
      board->counter++;
      while (board->counter < 6) std::this_thread::yield();
    }));
  }
  board->step = 1;
  for (auto& child : all) EXPECT_EQ(child->wait(), 0);
  EXPECT_EQ(board->inside, 1);
}

TEST_F(file, owner_and_mode_are_checked) {
  { auto const store = open(); }
  ::chmod(path().c_str(), 0666);
  expect_refused(refusal(path()), errc::auth, "writable");
  ::chmod(path().c_str(), 0600);
  if (::geteuid() != 0) GTEST_SKIP() << "giving a file to another user takes root";
  ASSERT_EQ(::chown(path().c_str(), 12345, 12345), 0);
  expect_refused(refusal(path()), errc::auth, "uid 12345");
}

TEST_F(file, LOCAL_11_network_file_systems_are_known_by_number) {
  EXPECT_EQ(local::refused_file_system_name(0x6969), "NFS");
  EXPECT_EQ(local::refused_file_system_name(0x65735546), "FUSE");
  EXPECT_EQ(local::refused_file_system_name(0x01021997), "9p");
  EXPECT_EQ(local::refused_file_system_name(0x794C7630), "") << "overlay";
  EXPECT_EQ(local::refused_file_system_name(0xEF53), "") << "ext4";
}

TEST_F(file, LOCAL_13_after_a_reboot_the_tables_are_empty_and_tokens_go_on) {
  LEASEHOLD_NEEDS_FORK();
  std::uint64_t last = 0;
  {
    auto const store = open();
    auto a = store.claim("x");
    last = try_once(*a).value();
    EXPECT_FALSE(release(*a));
    auto const child = holder("held/by/the/dead");
    last = std::max(last, board->value.load());
    // The power goes: the counter's page was never written back, the ceiling's was.
    store.session().mem().header().token = 5;
    store.session().mem().header().boot[0] = 1;
    store.session().mem().header().boot[1] = 2;
  }
  child_process after([&] {
    auto const store = open();
    EXPECT_TRUE(store.list().empty());
    EXPECT_EQ(store.session().mem().used_processes(), 0U);
    auto a = store.claim("held/by/the/dead");
    EXPECT_GT(try_once(*a).value_or(0), last);
    EXPECT_GE(store.session().mem().header().ceiling, store.session().mem().header().token);
  });
  EXPECT_EQ(after.wait(), 0);
}

TEST_F(file, LOCAL_13_a_new_file_in_place_of_a_lost_one_begins_above_it) {
  std::uint64_t last = 0;
  {
    auto const store = open("?capacity=64");
    auto a = store.claim("x");
    last = try_once(*a).value();
    EXPECT_FALSE(release(*a));
  }
  std::filesystem::remove(path());
  auto const store = open("?capacity=64");
  auto a = store.claim("x");
  EXPECT_GT(try_once(*a).value(), last);
  EXPECT_FALSE(release(*a));
}

TEST_F(file, noise_in_the_tables_never_crashes_or_hangs) {
  LEASEHOLD_NEEDS_FORK();
  std::uint64_t const bytes = local::geometry::of(64).bytes;
  for (unsigned seed = 1; seed <= 12; ++seed) {
    std::filesystem::remove(path());
    child_process child([&] {
      auto const store = open("?capacity=64");
      auto held = store.claim("x");
      ASSERT_TRUE(try_once(*held));
      for (int i = 0; i < 40; ++i) static_cast<void>(store.claim("n" + std::to_string(i))->attempt_now());
      std::mt19937_64 chance(seed);
      int const fd = ::open(path().c_str(), O_RDWR);
      auto const& g = store.session().mem().geometry();
      auto const from = seed % 3 == 0 ? g.seats_at : seed % 3 == 1 ? g.records_at : g.buckets_at;
      for (int i = 0; i < 2000; ++i) {
        std::uint64_t const value = seed % 2 == 0 ? chance() : chance() % 100;
        auto const limit = seed % 3 == 0 ? std::min<std::uint64_t>(bytes - from, 40'000) : bytes - from;
        ASSERT_EQ(::pwrite(fd, &value, 8, static_cast<off_t>(from + chance() % (limit / 8) * 8)), 8);
      }
      ::close(fd);
      for (int i = 0; i < 60; ++i) {
        auto const name = "n" + std::to_string(i);
        auto c = store.claim(name, {.mode = i % 3 == 0 ? mode::reader() : mode::exclusive()});
        static_cast<void>(c->attempt_now());
        static_cast<void>(c->withdraw_now({}));
        static_cast<void>(store.inspect(name));
      }
      static_cast<void>(run(store.backend().list("")));
      static_cast<void>(run(store.backend().diagnose()));
      ::_exit(0);
    });
    auto const begun = clock::now();
    EXPECT_EQ(child.wait(), 0) << "seed " << seed;
    EXPECT_LT(clock::now() - begun, 60s);
  }
}

TEST_F(file, a_health_check_names_the_store) {
  auto const store = open();
  auto const findings = run(store.backend().diagnose());
  ASSERT_GE(findings.size(), 6U);
  EXPECT_NE(findings[0].text.find(path()), std::string::npos);
  for (auto const& f : findings) EXPECT_NE(f.severity, finding::level::fail) << f.text;
  std::filesystem::remove(path());
  EXPECT_EQ(run(store.backend().diagnose())[0].severity, finding::level::fail) << "the file was deleted under us";
}

class location : public ::testing::Test {
 protected:
  static result<local::location> locate(std::string const& url, local::surroundings const& around) {
    return local::locate_store(spi::parse_url(url).value(), around);
  }
  scratch_directory scratch;
};

TEST_F(location, the_url_names_the_file) {
  local::surroundings around;
  around.home = "/u/me";
  around.uid = ::geteuid();
  EXPECT_EQ(locate("local:", around)->path, "/u/me/.local/state/leasehold/store");
  around.state_home = "/state";
  EXPECT_EQ(locate("local:", around)->path, "/state/leasehold/store");
  EXPECT_EQ(locate("local:/srv/locks", around)->path, "/srv/locks");
  EXPECT_EQ(locate("local:locks/a", around)->path, "locks/a");
  EXPECT_EQ(locate("local:system", around)->path, "/var/lib/leasehold/store");
  EXPECT_TRUE(locate("local:system", around)->common);
  EXPECT_EQ(locate("local:/x?capacity=1000", around)->capacity, 1000U);
}

TEST_F(location, a_home_on_a_network_file_system_is_replaced_by_a_directory_of_ours) {
  local::surroundings around;
  around.home = "/u/me";
  around.uid = ::geteuid();
  around.temporary = scratch.path().string();
  around.is_remote = [](std::string const&) { return true; };
  auto const own = scratch.path() / ("leasehold-" + std::to_string(around.uid));
  EXPECT_EQ(locate("local:", around)->path, (own / "store").string());
  ::chmod(own.c_str(), 0777);
  EXPECT_EQ(locate("local:", around).error(), errc::auth) << "somebody else could have made it";
}

TEST_F(location, bad_urls_name_the_offending_part) {
  local::surroundings around;
  EXPECT_EQ(locate("local:", around).error(), errc::misconfigured);
  EXPECT_EQ(locate("local:/x?capacity=0", around).error(), errc::bad_option);
  EXPECT_EQ(locate("local:/x?capacity=many", around).error(), errc::bad_option);
  EXPECT_EQ(locate("local:/x?capacity=99999999999", around).error(), errc::bad_option);
  EXPECT_EQ(locate("local:/x?colour=red", around).error(), errc::bad_option);
  EXPECT_EQ(locate("local:/x/", around).error(), errc::bad_option);
  EXPECT_EQ(locate("local://host/x", around).error(), errc::bad_option);
}

}  // namespace
}  // namespace leasehold::test
