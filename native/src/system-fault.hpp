// A system call that failed: in which step, and why.
#pragma once

#include <string_view>

namespace sluice {

struct SystemFault {
  std::string_view step;  // a literal
  int error = 0;          // an errno
};

}  // namespace sluice
