#include "process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace sluice::lab {
namespace {

/** Above all that is not of real time, below the kernel's own threads. */
constexpr int kFifoPriority = 20;
constexpr int kNice = -19;

}  // namespace

std::optional<SystemFault> enterNamespace(const std::string& name) {
  const std::string file = "/run/netns/" + name;
  const Fd space(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!space.ok()) return SystemFault{.step = "open the namespace", .error = errno};
  if (::setns(space.get(), CLONE_NEWNET) != 0)
    return SystemFault{.step = "enter the namespace", .error = errno};
  return std::nullopt;
}

std::string_view raisePriority() {
  const sched_param wanted{.sched_priority = kFifoPriority};
  if (::sched_setscheduler(0, SCHED_FIFO, &wanted) == 0) return "fifo";
  if (::setpriority(PRIO_PROCESS, 0, kNice) == 0) return "nice";
  return "ordinary";
}

Fd watchSignals() {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

int takeSignal(const Fd& signals) {
  signalfd_siginfo info{};
  if (::read(signals.get(), &info, sizeof(info)) != sizeof(info)) return 0;
  return static_cast<int>(info.ssi_signo);
}

void tell(std::string_view program, const SystemFault& fault) {
  std::fprintf(stderr, "%.*s: %.*s: %s\n", static_cast<int>(program.size()),
               program.data(), static_cast<int>(fault.step.size()), fault.step.data(),
               std::strerror(fault.error));
}

}  // namespace sluice::lab
