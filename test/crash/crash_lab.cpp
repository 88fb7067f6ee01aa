#include "crash_lab.hpp"

#include "engines/local/sys.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <thread>

namespace leasehold::test {
using namespace std::chrono_literals;

struct crash_lab::shared {
  std::atomic<std::uint64_t> point{0};
  std::atomic<std::uint64_t> token{0};
  std::atomic<int> signal{0};
  std::atomic<bool> struck{false};
  std::atomic<bool> ready{false};
  std::atomic<bool> bystander_lost{false};
  std::atomic<std::size_t> bytes{0};
  char text[4096] = {};
};

namespace {

/// The hook has no argument of ours: one lab strikes at a time, in the child that it forked for it.
std::atomic<std::uint64_t>* next_point = nullptr;
std::atomic<bool>* struck_flag = nullptr;
int strike_signal = 0;

void strike_here(char const* /*where*/) {
  if (next_point->fetch_sub(1) != 1) return;
  struck_flag->store(true);
  ::kill(::getpid(), strike_signal);
}

pid_t fork_child(std::function<void()> const& what) {
  pid_t const child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      what();
      ::_exit(0);
    } catch (std::exception const& e) {  // a child that went on would run the rest of the tests
      std::fprintf(stderr, "a child failed: %s\n", e.what());
      ::_exit(1);
    }
  }
  return child;
}

}  // namespace

crash_lab::crash_lab() {
  std::string pattern = (std::filesystem::temp_directory_path() / "leasehold-crash-XXXXXX").string();
  directory_ = ::mkdtemp(pattern.data());
  void* const page = ::mmap(nullptr, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared_ = new (page) shared;
  start_bystander();
}

crash_lab::~crash_lab() {
  for (pid_t const child : {stopped_, bystander_}) {
    if (child == 0) continue;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  ::munmap(shared_, sizeof(shared));
  std::filesystem::remove_all(directory_);
}

// Few names, so that records are recycled and all tables are small.
std::string crash_lab::url() const { return "local:" + (directory_ / "store").string() + "?capacity=64"; }

void crash_lab::start_bystander() {
  bystander_ = fork_child([this] {
    auto const locks = open(url());
    auto const mine = locks.acquire("bystander");
    shared_->ready.store(true);
    while (mine.held()) std::this_thread::sleep_for(1ms);
    shared_->bystander_lost.store(true);
  });
  while (!shared_->ready.load()) std::this_thread::yield();
}

outcome crash_lab::strike(scenario const& work, std::uint64_t point, blow how) {
  shared_->point.store(point);
  shared_->token.store(0);
  shared_->struck.store(false);
  pid_t const child = fork_child([&] {
    next_point = &shared_->point;
    struck_flag = &shared_->struck;
    strike_signal = how == blow::stop ? SIGSTOP : SIGKILL;
    if (how != blow::none) local::crash_hook = &strike_here;
    work.run(open(url()), [this](lease const& l) { shared_->token.store(l.token()); });
  });
  int status = 0;
  ::waitpid(child, &status, WUNTRACED);
  if (WIFSTOPPED(status)) stopped_ = child;
  bool const ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!shared_->struck.load() && !ended_well) throw std::runtime_error(std::string(work.name) + " failed by itself");
  return {shared_->struck.load(), shared_->token.load()};
}

bool crash_lab::resume() {
  ::kill(stopped_, SIGCONT);
  int status = 0;
  ::waitpid(std::exchange(stopped_, 0), &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string crash_lab::in_child(std::function<std::string()> const& what) {
  shared_->bytes.store(SIZE_MAX);
  pid_t const child = fork_child([&] {
    std::string text;
    try {
      text = what();
    } catch (std::exception const& e) {
      text = e.what();
    }
    std::memcpy(shared_->text, text.data(), std::min(text.size(), sizeof shared_->text));
    shared_->bytes.store(std::min(text.size(), sizeof shared_->text));
  });
  ::waitpid(child, nullptr, 0);
  if (shared_->bytes.load() == SIZE_MAX) return "the process died";
  return {shared_->text, shared_->bytes.load()};
}

namespace {

bool is_whole(std::string const& text) {
  auto const& all = left_behind();
  return text.empty() || std::find(all.begin(), all.end(), text) != all.end();
}

/// What was left behind is there as it was written, or not at all.
std::string find_torn(store const& locks, lease const& mine) {
  if (auto const done = locks.find_completion(mine.name()); done && !is_whole(done->result)) return "a torn result";
  if (auto const before = mine.previous(); before && !is_whole(before->who.note)) return "a torn note";
  return {};
}

}  // namespace

std::string crash_lab::find_damage(std::uint64_t token) {
  if (shared_->bystander_lost.load()) return "the bystander lost its lease";
  return in_child([&]() -> std::string {
    auto const locks = open(url());
    for (auto const& name : scenario_names()) {
      for (auto const kind : {mode::exclusive(), mode::reader()}) {
        auto const mine = locks.acquire(name, {.wait = 10s, .mode = kind});
        if (mine.token() <= token) return name + " got an old token";
        if (kind.is_exclusive() && locks.try_acquire(name)) return name + " was granted twice";
        if (auto const torn = kind.is_exclusive() ? find_torn(locks, mine) : std::string(); !torn.empty()) return torn;
      }
    }
    if (locks.try_acquire("bystander")) return "the bystander's name was free";
    auto const left = locks.list();
    if (left.size() != 1) return std::to_string(left.size()) + " names are in use, the first is " + left.front().name;
    return {};
  });
}

std::string crash_lab::meet(std::string const& name) {
  return in_child([&]() -> std::string {
    auto const answer = open(url()).try_acquire(name, {}, std::nothrow);
    if (!answer) return std::string(answer.get_failure().details.message()) + answer.error().message();
    return *answer ? "held" : "busy";
  });
}

}  // namespace leasehold::test
