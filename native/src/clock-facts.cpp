#include "clock-facts.hpp"

#include <sys/timex.h>

#include <cerrno>

namespace sluice {

std::variant<ClockFacts, SystemFault> clockFacts() {
  timex state{};  // modes 0: nothing is changed
  const int result = ::adjtimex(&state);
  if (result < 0) return SystemFault{.step = "adjtimex", .error = errno};
  return ClockFacts{
      .synchronised = result != TIME_ERROR && (state.status & STA_UNSYNC) == 0,
      .maxErrorUs = state.maxerror,
  };
}

}  // namespace sluice
