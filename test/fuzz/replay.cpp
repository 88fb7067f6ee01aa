// Decides how a corpus is run without libFuzzer: every file as it is, cut short, and with single bytes changed.
#include "fuzz/target.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

/// So many variants of each kind per file, spread over it.
constexpr std::size_t variants = 24;

void run(std::string const& input) {
  ::alarm(60);  // a target that hangs is broken, too
  LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(input.data()), input.size());
}

void run_with_variants(std::string const& input) {
  run(input);
  auto const step = std::max<std::size_t>(1, input.size() / variants);
  for (std::size_t at = 0; at < input.size(); at += step) {
    run(input.substr(0, at));
    auto changed = input;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    run(changed);
    changed[at] = static_cast<char>(0xFF);
    run(changed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i) {
    for (auto const& entry : std::filesystem::directory_iterator(argv[i])) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (auto const& file : files) {
    std::fprintf(stderr, "%s\n", file.filename().c_str());
    std::ifstream in(file, std::ios::binary);
    run_with_variants({std::istreambuf_iterator<char>(in), {}});
  }
  std::printf("%zu inputs and their variants\n", files.size());
  return files.empty() ? 1 : 0;
}
