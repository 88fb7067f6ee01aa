// Decides where the supervisor's last word lives: in an anonymous page that a fork shares.
#include "run/last_word.hpp"

#include "base/problem.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <new>

namespace leasehold::cli {

last_word::last_word() {
  void* const at = ::mmap(nullptr, sizeof(shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) throw os_refused("mapping a page", errno);
  page_ = new (at) shared{};
  leave({});
}

last_word::~last_word() { ::munmap(page_, sizeof(shared)); }

}  // namespace leasehold::cli
