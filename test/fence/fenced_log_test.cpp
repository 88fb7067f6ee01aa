// Decides what the readers of a fenced log agree on, and that every bad input is a typed error.
#include "fence/log_fixture.hpp"

#include "core/fence/file_system.hpp"
#include "core/fence/record_codec.hpp"

#include <leasehold/error.hpp>

#include <sys/stat.h>
#include <unistd.h>

namespace leasehold::test {
namespace {

using fence_log = log_test;

std::vector<bool> voids(fenced_log::summary const& found) {
  std::vector<bool> all;
  for (auto const& record : found.records) all.push_back(record.is_void);
  return all;
}

TEST_F(fence_log, FENCE_2_a_record_below_an_earlier_token_of_its_name_is_void) {
  auto log = open();
  log.append("x", 5, bytes_of("five")).value();
  log.append("y", 1, bytes_of("other name")).value();
  log.append("x", 7, bytes_of("seven")).value();
  log.append("x", 6, bytes_of("late")).value();
  log.append("x", 7, bytes_of("seven again")).value();
  auto const found = read();
  ASSERT_EQ(found.records.size(), 5u);
  EXPECT_EQ(voids(found), (std::vector<bool>{false, false, false, true, false}));
  EXPECT_EQ(found.damaged, 0u);
  EXPECT_EQ(found.records[3].name, "x");
  EXPECT_EQ(found.records[3].token, 6u);
  EXPECT_EQ(text_of(found.records[3].payload), "late");
}

TEST_F(fence_log, FENCE_2_every_byte_and_every_size_comes_back) {
  auto log = open();
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes += static_cast<char>(i);
  std::vector<std::string> payloads{"", std::string(1, '\0'), std::string(5000, '\0'), all_bytes,
                                    std::string(65536, 'x')};
  for (std::size_t size = 230; size < 270; ++size) payloads.push_back(std::string(size, 'a'));
  for (std::size_t size = 230; size < 270; ++size) payloads.push_back(std::string(size, 'b') + '\0');
  for (auto const& payload : payloads) log.append(std::string(255, 'n'), UINT64_MAX, bytes_of(payload)).value();
  auto const found = read();
  ASSERT_EQ(found.records.size(), payloads.size());
  for (std::size_t i = 0; i < payloads.size(); ++i) EXPECT_EQ(text_of(found.records[i].payload), payloads[i]) << i;
  EXPECT_EQ(found.records[0].token, UINT64_MAX);
}

TEST_F(fence_log, FENCE_2_a_cursor_sees_each_record_once_and_remembers_the_tokens) {
  auto log = open();
  fenced_log::cursor cursor;
  log.append("x", 5, bytes_of("a")).value();
  EXPECT_EQ(log.read(cursor).value().records.size(), 1u);
  EXPECT_EQ(log.read(cursor).value().records.size(), 0u);
  log.append("x", 4, bytes_of("b")).value();
  auto const next = log.read(cursor).value();
  ASSERT_EQ(next.records.size(), 1u);
  EXPECT_TRUE(next.records[0].is_void);
}

TEST_F(fence_log, FENCE_2_a_cursor_leaves_an_unfinished_record_to_the_next_call) {
  auto log = open();
  log.append("x", 1, bytes_of("first")).value();
  log.append("x", 2, bytes_of("second")).value();
  auto const whole = file();
  for (std::size_t cut = 1; cut < 20; ++cut) {
    overwrite(whole.substr(0, whole.size() - cut));
    auto cut_log = open();
    fenced_log::cursor cursor;
    auto const before = cut_log.read(cursor).value();
    EXPECT_EQ(before.records.size(), 1u);
    EXPECT_EQ(before.damaged, 0u);
    EXPECT_EQ(cut_log.read().value().damaged, 1u);
    overwrite(whole);
    auto const after = cut_log.read(cursor).value();
    ASSERT_EQ(after.records.size(), 1u);
    EXPECT_EQ(text_of(after.records[0].payload), "second");
  }
}

TEST_F(fence_log, FENCE_2_a_log_cut_short_under_a_cursor_is_told) {
  auto log = open();
  log.append("x", 1, bytes_of("first")).value();
  fenced_log::cursor cursor;
  log.read(cursor).value();
  std::filesystem::resize_file(path, log_header_size);
  EXPECT_EQ(log.read(cursor).error(), errc::misconfigured);
}

void expect_refused(std::filesystem::path const& path, errc code, std::string_view text) {
  auto const opened = fenced_log::open(path);
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error(), code);
  auto const& details = opened.get_failure().details;
  EXPECT_NE(details.message().find(path.string()), std::string_view::npos) << details.message();
  EXPECT_NE(details.message().find(text), std::string_view::npos) << details.message();
  EXPECT_FALSE(details.hint().empty());
}

TEST_F(fence_log, FENCE_3_what_is_not_a_log_is_refused_and_left_alone) {
  overwrite("precious text of somebody else, more than a header long");
  auto const before = file();
  expect_refused(path, errc::misconfigured, "not a fenced log");
  EXPECT_EQ(file(), before);
  overwrite("short");
  expect_refused(path, errc::misconfigured, "not a fenced log");
  EXPECT_EQ(file(), "short");
}

TEST_F(fence_log, FENCE_3_a_damaged_header_and_a_newer_version_are_refused) {
  open().append("x", 1, {}).value();
  auto content = file();
  content[20] ^= 1;
  overwrite(content);
  expect_refused(path, errc::misconfigured, "damaged header");
  auto const newer = core::log_header(core::log_version + 1);
  overwrite({reinterpret_cast<char const*>(newer.data()), newer.size()});
  expect_refused(path, errc::misconfigured, "version 2");
}

TEST_F(fence_log, FENCE_3_a_header_cut_short_is_begun_anew) {
  open();
  auto const header = file();
  ASSERT_EQ(header.size(), log_header_size);
  for (std::size_t size = 0; size < header.size(); ++size) {
    overwrite(header.substr(0, size));
    open().append("x", 1, {}).value();
    EXPECT_EQ(read().records.size(), 1u);
    EXPECT_EQ(read().damaged, 0u);
  }
}

TEST_F(fence_log, FENCE_3_paths_that_cannot_be_a_log_are_refused) {
  expect_refused(directory, errc::misconfigured, "cannot be opened");
  expect_refused(directory / "missing" / "log", errc::misconfigured, "cannot be opened");
  expect_refused(directory / std::string(300, 'x'), errc::misconfigured, "cannot be opened");
  expect_refused("/dev/null", errc::misconfigured, "not a regular file");
  auto const fifo = directory / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  expect_refused(fifo, errc::misconfigured, "not a regular file");
  expect_refused(std::filesystem::path(), errc::misconfigured, "cannot be opened");
}

TEST_F(fence_log, FENCE_3_missing_permission_is_an_auth_error) {
  open();
  auto const refused = [&] { return fenced_log::open(path).error() == errc::auth ? 0 : 1; };
  EXPECT_EQ(wait_for(spawn([&] {
              if (::geteuid() != 0) return ::chmod(path.c_str(), 0) != 0 ? 9 : refused();
              // Root passes every mode; nobody does not.
              if (::chmod(directory.c_str(), 0755) != 0 || ::setuid(65534) != 0) return 9;
              return refused();
            })),
            0);
}

TEST_F(fence_log, FENCE_3_the_file_is_private_to_its_user) {
  open();
  struct stat file_state {};
  ASSERT_EQ(::stat(path.c_str(), &file_state), 0);
  EXPECT_EQ(file_state.st_mode & 0777u, 0600u);
}

TEST_F(fence_log, FENCE_3_bad_records_are_refused_before_anything_is_written) {
  auto log = open();
  auto const before = file();
  EXPECT_EQ(log.append("", 1, {}).error(), errc::bad_name);
  EXPECT_EQ(log.append(std::string(256, 'x'), 1, {}).error(), errc::bad_name);
  EXPECT_EQ(log.append(std::string_view("a\0b", 3), 1, {}).error(), errc::bad_name);
  EXPECT_EQ(log.append("x", 1, bytes_of(std::string(65537, 'x'))).error(), errc::bad_option);
  EXPECT_EQ(file(), before);
}

TEST_F(fence_log, FENCE_3_a_log_deleted_while_open_takes_no_more_records) {
  auto log = open();
  log.append("x", 1, {}).value();
  std::filesystem::remove(path);
  EXPECT_EQ(log.append("x", 2, {}).error(), errc::misconfigured);
}

TEST(fence_file_system, FENCE_3_network_file_systems_are_known_by_their_type) {
  EXPECT_EQ(core::network_file_system(0x6969), "NFS");
  EXPECT_EQ(core::network_file_system(0x01021997), "9p");
  EXPECT_EQ(core::network_file_system(0x65735546), "FUSE");
  EXPECT_EQ(core::network_file_system(static_cast<unsigned long>(static_cast<int>(0xFF534D42))), "CIFS");
  EXPECT_EQ(core::network_file_system(0x01021994), "");  // tmpfs
  EXPECT_EQ(core::network_file_system(0xEF53), "");      // ext4
  EXPECT_EQ(core::network_file_system(0x794C7630), "");  // overlay
}

}  // namespace
}  // namespace leasehold::test
