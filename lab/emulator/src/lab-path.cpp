// The path between a router and its servers: lab-path ROUTER-NS SERVER-NS DEVICE SETTINGS
//
// Makes a TUN device of that name in both namespaces, says "ready" on standard error and
// carries packets between them as the settings say, until SIGINT, SIGTERM or the end of
// standard input. Its figures go to standard output as one line of JSON then, and when
// SIGUSR1 comes. Exit code 1: something failed; 2: wrong arguments or settings.

#include <poll.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>

#include "path.hpp"
#include "process.hpp"
#include "settings.hpp"
#include "tun.hpp"

namespace sluice::lab {
namespace {

constexpr std::uint32_t kPoolPackets = 32'768;  // 64 MiB
constexpr int kReadsInARow = 32;
constexpr std::int64_t kSecondNs = 1'000'000'000;

std::int64_t monotonicNs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecondNs + now.tv_nsec;
}

/** The two ends, and what is between them. */
class Carrier {
 public:
  Carrier(Fd router, Fd server, const PathSettings& settings, std::string_view priority)
      : ends_{std::move(router), std::move(server)},
        path_(settings, kPoolPackets),
        priority_(priority) {}

  /** Until a signal or the end of standard input. */
  void run(const Fd& signals) {
    std::array<pollfd, 4> watched = {
        pollfd{ends_[0].get(), POLLIN, 0}, pollfd{ends_[1].get(), POLLIN, 0},
        pollfd{signals.get(), POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
    for (;;) {
      release();
      wait(watched);
      if (watched[2].revents != 0) {
        const int signal = takeSignal(signals);
        if (signal == SIGUSR1) report();
        if (signal != 0 && signal != SIGUSR1) return;
      }
      if (watched[3].revents != 0 && standardInputEnded()) return;
      read(Way::kUp);
      read(Way::kDown);
    }
  }

  void report() const {
    const PathCounters& c = path_.counters();
    const Lateness& late = path_.lateness();
    const auto us = [](std::int64_t ns) { return static_cast<double>(ns) / 1'000; };
    std::printf(
        "{\"packetsUp\":%llu,\"packetsDown\":%llu,\"bytesUp\":%llu,\"bytesDown\":%llu,"
        "\"lost\":%llu,\"queueDropped\":%llu,\"poolDropped\":%llu,\"strangers\":%llu,"
        "\"writeFailed\":%llu,\"latenessUs\":{\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f},"
        "\"priority\":\"%s\"}\n",
        count(c.packets[0]), count(c.packets[1]), count(c.bytes[0]), count(c.bytes[1]),
        count(c.lost), count(c.queueDropped), count(c.poolDropped), count(c.strangers),
        count(writeFailed_), us(late.quantileNs(0.5)), us(late.quantileNs(0.99)),
        us(late.maxNs()), priority_.data());
    std::fflush(stdout);
  }

 private:
  static unsigned long long count(std::uint64_t value) { return value; }

  static bool standardInputEnded() {
    std::array<char, 256> ignored{};
    return ::read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0;
  }

  [[nodiscard]] const Fd& end(Way way) const {
    return ends_[static_cast<std::size_t>(way)];
  }

  void wait(std::array<pollfd, 4>& watched) const {
    timespec patience{};
    const auto next = path_.nextNs();
    if (next) {
      const std::int64_t leftNs = std::max<std::int64_t>(*next - monotonicNs(), 0);
      patience = {.tv_sec = leftNs / kSecondNs, .tv_nsec = leftNs % kSecondNs};
    }
    if (::ppoll(watched.data(), watched.size(), next ? &patience : nullptr, nullptr) <= 0)
      for (pollfd& one : watched) one.revents = 0;
  }

  /** What comes from the router is on its way up. */
  void read(Way way) {
    std::array<std::byte, PacketPool::kPacketRoom> packet;
    for (int i = 0; i < kReadsInARow; ++i) {
      const ssize_t bytes = ::read(end(way).get(), packet.data(), packet.size());
      if (bytes <= 0) return;
      path_.offer(monotonicNs(), way,
                  Bytes(packet).first(static_cast<std::size_t>(bytes)));
    }
  }

  void release() {
    for (;;) {
      const std::int64_t nowNs = monotonicNs();
      const auto due = path_.due(nowNs);
      if (!due) return;
      const Fd& to = end(due->way == Way::kUp ? Way::kDown : Way::kUp);
      if (::write(to.get(), due->packet.data(), due->packet.size()) < 0) ++writeFailed_;
      path_.released(nowNs);
    }
  }

  std::array<Fd, 2> ends_;  // the router's, where packets on their way up come from
  Path path_;
  std::string_view priority_;
  std::uint64_t writeFailed_ = 0;
};

std::optional<PathSettings> settingsOf(const char* file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) {
    std::fprintf(stderr, "lab-path: cannot read %s\n", file);
    return std::nullopt;
  }
  auto settings = readSettings(text.str());
  if (const auto* error = std::get_if<SettingsError>(&settings)) {
    std::fprintf(stderr, "lab-path: %s:%zu: %s\n", file, error->line,
                 error->what.c_str());
    return std::nullopt;
  }
  return std::get<PathSettings>(std::move(settings));
}

int run(const char* routerSpace, const char* serverSpace, const char* device,
        const char* file) {
  const auto settings = settingsOf(file);
  if (!settings) return 2;
  const Fd signals = watchSignals();
  std::array<Fd, 2> ends;
  std::size_t opened = 0;
  for (const char* space : {routerSpace, serverSpace}) {
    auto tun = openTun(space, device);
    if (const auto* fault = std::get_if<SystemFault>(&tun)) {
      tell("lab-path", *fault);
      return 1;
    }
    ends[opened++] = std::get<Fd>(std::move(tun));
  }
  Carrier carrier(std::move(ends[0]), std::move(ends[1]), *settings, raisePriority());
  std::fprintf(stderr, "ready\n");
  carrier.run(signals);
  carrier.report();
  return 0;
}

}  // namespace
}  // namespace sluice::lab

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: lab-path ROUTER-NS SERVER-NS DEVICE SETTINGS\n");
    return 2;
  }
  return sluice::lab::run(argv[1], argv[2], argv[3], argv[4]);
}
