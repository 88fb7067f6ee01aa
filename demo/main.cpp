// Decides which of its roles this process plays, and how its failures are told.
#include "options.hpp"
#include "supervisor.hpp"
#include "worker.hpp"

#include <leasehold/leasehold.hpp>

#include <cstdio>
#include <exception>
#include <string>

#include <fmt/format.h>

namespace {

int play(demo::options const& o) {
  if (o.worker) return demo::work(o);
  if (!o.verify.empty()) return demo::verify(o);
  return demo::supervise(o);
}

void complain(demo::options const& o, std::string const& what, std::string_view hint = {}) {
  auto const who = o.worker ? fmt::format("worker {}", *o.worker) : "leasehold-demo";
  fmt::print(stderr, "{}: {}\n", who, what);
  if (!hint.empty()) fmt::print(stderr, "{}: {}\n", who, hint);
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = 0;
  auto const options = demo::parse(argc, argv, exit_code);
  if (!options) return exit_code;
  try {
    return play(*options);
  } catch (leasehold::error const& e) {
    complain(*options, e.what(), e.details().hint());
  } catch (std::exception const& e) {
    complain(*options, e.what());
  }
  return 1;
}
