// What the lab's programs want of the system: a namespace, a priority, an end.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "owned-fd.hpp"
#include "system-fault.hpp"

namespace sluice::lab {

/** Enters the network namespace of that name (as `ip netns` keeps them). */
[[nodiscard]] std::optional<SystemFault> enterNamespace(const std::string& name);

/** Goes ahead of ordinary programs where that is permitted; how it came out, for reports.
 */
[[nodiscard]] std::string_view raisePriority();

/**
 * SIGINT, SIGTERM and SIGUSR1 come as readable bytes (signalfd(2)) from now on. This
 * process ends with its parent.
 */
[[nodiscard]] Fd watchSignals();
/** The next signal that has come; 0: none. */
[[nodiscard]] int takeSignal(const Fd& signals);

/** "lab-path: WHAT: STEP: errno's words" on standard error. */
void tell(std::string_view program, const SystemFault& fault);

}  // namespace sluice::lab
