// Two coroutines of one thread want the same name: one waits in line while the other holds, and nothing blocks the thread.
#include <leasehold/asio.hpp>
#include <leasehold/leasehold.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string_view>

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> job(leasehold::store locks, std::string_view who) {
  leasehold::acquire_options const options{.wait = 10s, .identity = who};
  leasehold::lease held = co_await leasehold::async_acquire(locks, "report", options, asio::use_awaitable);
  std::cout << who << " holds token " << held.token() << '\n';
  asio::steady_timer work(co_await asio::this_coro::executor, 10ms);
  co_await work.async_wait(asio::use_awaitable);
  held.checkpoint();  // before the side effect
  std::cout << who << " is done\n";
}

}  // namespace

int main(int argc, char** argv) {
  leasehold::store const locks = leasehold::open(argc > 1 ? argv[1] : "local:");
  asio::io_context context;
  auto const rethrow = [](std::exception_ptr const& e) {
    if (e) std::rethrow_exception(e);
  };
  asio::co_spawn(context, job(locks, "first"), rethrow);
  asio::co_spawn(context, job(locks, "second"), rethrow);
  context.run();
}
