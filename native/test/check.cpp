#include "check.hpp"

#include <cstdio>

namespace sluice::test {

void Check::that(bool holds, std::string_view what, std::source_location at) {
  if (holds) return;
  faults_ += "    " + std::string(at.file_name()) + ":" + std::to_string(at.line()) +
             ": " + std::string(what) + "\n";
}

void Suite::test(std::string_view name, const std::function<void(Check&)>& body) {
  Check check;
  body(check);
  if (check.faults().empty()) {
    ++passed_;
    return;
  }
  ++failed_;
  std::printf("  failed: %s\n%s", std::string(name).c_str(), check.faults().c_str());
}

bool Suite::passed() const {
  std::printf("native: %d passed, %d failed\n", passed_, failed_);
  return failed_ == 0 && passed_ > 0;
}

}  // namespace sluice::test
