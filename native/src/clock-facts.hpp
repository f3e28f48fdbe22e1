// Whether somebody keeps the system clock right.
#pragma once

#include <cstdint>
#include <variant>

#include "system-fault.hpp"

namespace sluice {

struct ClockFacts {
  bool synchronised = false;    // by NTP, PTP or the like
  std::int64_t maxErrorUs = 0;  // grows when nobody disciplines the clock
};

/** As adjtimex(2) says; needs no privilege. */
std::variant<ClockFacts, SystemFault> clockFacts();

}  // namespace sluice
