#include "engines/local/local_support.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <new>
#include <thread>

namespace leasehold::test {

scratch_directory::scratch_directory() {
  auto name = (std::filesystem::temp_directory_path() / "leasehold-local-XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}
scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

opened_store::opened_store(std::string const& path, std::string const& query) {
  auto const url = spi::parse_url("local:" + path + query);
  if (!url) throw std::runtime_error("bad URL");
  auto opened = local::open_local(*url, false);
  if (!opened) opened.get_failure().raise();
  backend_ = opened->backend;
  local::location where;
  where.path = path;
  session_ = local::session::open(where).value();
}

std::unique_ptr<spi::claim> opened_store::claim(std::string_view name, wish const& w) const {
  spi::claim_spec spec{};
  spec.name = name;
  spec.mode = w.mode;
  spec.ttl = w.ttl;
  spec.lock_delay = w.lock_delay;
  spec.identity = w.identity;
  spec.reason = w.reason;
  return backend_->make_claim(spec);
}

lock_info opened_store::inspect(std::string_view name) const { return run(backend_->inspect(name)).value(); }
std::vector<lock_info> opened_store::list(std::string_view prefix) const { return run(backend_->list(prefix)).value(); }
std::error_code opened_store::evict(std::string_view name, std::uint64_t token, bool now) const {
  evict_options options;
  options.now = now;
  return run(backend_->evict(name, token, options)).error();
}

std::string said(result<spi::answer> const& answer) {
  if (answer) return std::holds_alternative<spi::granted>(*answer) ? "granted" : "busy";
  return answer.error().message() + ": " + std::string(answer.get_failure().details.message());
}

namespace {

std::optional<std::uint64_t> token_of(result<spi::answer> const& answer) {
  EXPECT_TRUE(answer.has_value()) << said(answer);
  if (!answer) return std::nullopt;
  auto const* grant = std::get_if<spi::granted>(&*answer);
  return grant != nullptr ? grant->token : std::nullopt;
}

spi::task<std::optional<std::uint64_t>> acquire_task(spi::claim& c, time_point until) {
  for (;;) {
    auto const answer = co_await c.attempt();
    auto const token = token_of(answer);
    if (token || !answer) co_return token;
    auto const why = co_await c.changed(until);
    if (why == spi::wake::ready) continue;
    auto& drive = co_await spi::this_driver();
    drive.shield(true);
    auto const left = co_await c.withdraw(duration::zero());
    EXPECT_TRUE(left.has_value()) << left.error().message();
    co_return std::nullopt;
  }
}

}  // namespace

std::optional<std::uint64_t> try_once(spi::claim& c) { return token_of(*c.attempt_once_now()); }
std::optional<std::uint64_t> try_and_queue(spi::claim& c) { return token_of(*c.attempt_now()); }
std::error_code release(spi::claim& c, duration hold_off) { return c.withdraw_now(hold_off)->error(); }
std::optional<std::uint64_t> acquire(spi::claim& c, duration wait, std::stop_token stop) {
  return run(acquire_task(c, clock::now() + wait), std::move(stop));
}

bool eventually(std::function<bool()> const& condition, duration at_most) {
  for (auto const end = clock::now() + at_most; clock::now() < end;) {
    if (condition()) return true;
    std::this_thread::sleep_for(200us);
  }
  return condition();
}

child_process::child_process(std::function<void()> const& body) : pid_(::fork()) {
  if (pid_ != 0) return;
  try {
    body();
  } catch (std::exception const& e) {
    ADD_FAILURE() << e.what();
  }
  ::_exit(::testing::Test::HasFailure() ? 1 : 0);
}
child_process::~child_process() { kill(); }
void child_process::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}
int child_process::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
bool child_process::is_stopped() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string text;
  std::getline(file, text);
  auto const end = text.rfind(')');
  return end != std::string::npos && text[end + 2] == 'T';
}

shared_board::shared_board()
    : board_(new (::mmap(nullptr, sizeof(blackboard), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
                 blackboard) {}
shared_board::~shared_board() { ::munmap(board_, sizeof(blackboard)); }

std::unique_ptr<child_process> local_store::holder(std::string name, wish w) {
  int const before = board->step;
  auto child = std::make_unique<child_process>([&] {
    auto const store = open();
    auto const c = store.claim(name, w);
    auto const token = acquire(*c);
    board->value = token.value_or(0);
    board->step++;
    for (;;) ::pause();
  });
  EXPECT_TRUE(eventually([&] { return board->step > before; }));
  return child;
}

}  // namespace leasehold::test
