// Decides whether what the engine needs of kernel and processor is found out by using it, and not by what some macro says.
#include "engines/local/local_support.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

namespace leasehold::test {
namespace {

using kernel = local_store;

/// From now on the kernel refuses this process robust futexes. False: this may not be arranged here.
bool do_without_robust_futexes() {
  std::array<sock_filter, 4> program{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_set_robust_list, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  sock_fprog const filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

TEST_F(kernel, LOCAL_3_without_robust_futexes_nothing_is_granted) {
  LEASEHOLD_NEEDS_FORK();
  constexpr int not_possible_here = 77;
  child_process child([&] {
    if (!do_without_robust_futexes()) ::_exit(not_possible_here);
    auto const store = open("?capacity=64");
    auto const c = store.claim("x");
    auto const answer = *c->attempt_once_now();
    EXPECT_EQ(answer.error(), errc::unsupported) << said(answer);
    EXPECT_NE(answer.get_failure().details.message().find("robust futexes"), std::string::npos);
    EXPECT_TRUE(store.inspect("x").holders.empty());
  });
  auto const code = child.wait();
  if (code == not_possible_here) GTEST_SKIP() << "no seccomp filter may be set here";
  EXPECT_EQ(code, 0);
}

TEST_F(kernel, LOCAL_3_looking_at_the_dead_does_not_use_up_the_news_of_their_death) {
  LEASEHOLD_NEEDS_FORK();
  auto const child = holder("x");
  auto const store = open();
  auto const waiter = store.claim("x");
  EXPECT_FALSE(try_and_queue(*waiter));
  child->kill();
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(store.inspect("x").holders.empty());
    EXPECT_TRUE(store.list().front().holders.empty());
  }
  child_process another([&] {
    auto const own = open();
    EXPECT_TRUE(own.inspect("x").holders.empty());
    EXPECT_EQ(own.inspect("x").waiters.size(), 1U);
  });
  EXPECT_EQ(another.wait(), 0);
  EXPECT_GT(acquire(*waiter).value_or(0), board->value) << "repaired, and granted as new";
  EXPECT_FALSE(release(*waiter));
}

TEST_F(kernel, LOCAL_6_closing_the_file_elsewhere_in_the_process_drops_no_lock) {
  local::location where;
  where.path = path();
  where.capacity = 64;
  auto const file = local::open_file(where).value();
  local::file_lock lock(file);
  ASSERT_TRUE(lock.lock());
  ::close(::open(path().c_str(), O_RDWR | O_CLOEXEC));  // of classic record locks, this drops every one
  auto const excluded = [&] {
    struct ::flock all {};
    all.l_type = F_WRLCK;
    int const fd = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
    bool const refused = ::fcntl(fd, F_SETLK, &all) != 0 && (errno == EAGAIN || errno == EACCES);
    ::close(fd);
    return refused;
  };
  child_process another([&] { EXPECT_TRUE(excluded()) << "another process"; });
  EXPECT_EQ(another.wait(), 0);
  EXPECT_TRUE(excluded()) << "another thread of ours that opens the store is kept out, too";
}

/// The words in which processes meet, and whether each is changed by the processor itself, at its place in the file.
template <class T>
bool are_lock_free(std::atomic<T> const& word) {
  return std::atomic<T>::is_always_lock_free && sizeof word == sizeof(T) &&
         reinterpret_cast<std::uintptr_t>(&word) % sizeof(T) == 0;
}
template <class T, std::size_t N>
bool are_lock_free(std::array<T, N> const& words) {
  return std::all_of(words.begin(), words.end(), [](auto const& w) { return are_lock_free(w); });
}
template <class... Words>
bool are_all_lock_free(Words const&... words) {
  return (are_lock_free(words) && ...);
}

TEST_F(kernel, LOCAL_14_every_word_that_processes_share_is_changed_without_a_lock) {
  auto const store = open("?capacity=64");
  auto const& mem = store.session().mem();
  // A member that is added to a table has to be added here: the bindings name all of them.
  auto const& [word, hash, acquired_at, stamp, next, lengths, text, deadline, ttl, lock_delay, ticket, head, tail,
               holders, waiting, holding, blocks, notes, mode] = mem.record_at(1);
  EXPECT_TRUE(are_all_lock_free(word, hash, acquired_at, stamp, next, lengths, text, deadline, ttl, lock_delay, ticket,
                                head, tail, holders, waiting, holding, blocks, notes, mode));
  auto const& seat = mem.seat_at(1);
  auto const& [s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17] = seat;
  EXPECT_TRUE(are_all_lock_free(s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17));
  auto const& [b1, b2, b3] = mem.block_at(1);
  EXPECT_TRUE(are_all_lock_free(b1, b2, b3));
  auto const& [p1, p2, p3, p4, p5, p6, p7, p8, p9] = mem.process(0);
  EXPECT_TRUE(are_all_lock_free(p1, p2, p3, p4, p5, p6, p7, p8, p9));
  auto const& [l1, l2, l3, l4] = mem.shard(0);
  EXPECT_TRUE(are_all_lock_free(l1, l2, l3, l4));
  auto const& h = mem.header();
  EXPECT_TRUE(are_all_lock_free(h.token, h.ceiling, h.boot, h.pid_namespace, h.registrar, h.process_high, h.seat_high,
                                h.seat_hint, h.block_high, h.block_hint));
}

}  // namespace
}  // namespace leasehold::test
