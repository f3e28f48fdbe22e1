// The capture at the router: lab-tap NS INTERFACE FILE
//
// Writes every TCP and UDP packet of the interface to a capture file by the agent's own
// packet ring, until SIGINT, SIGTERM or the end of standard input. Says "ready" on
// standard error once nothing is missed, and at its end one line of JSON on standard
// output: packets, and those that the kernel dropped.

#include <poll.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "packet-ring.hpp"
#include "pcap-writer.hpp"
#include "process.hpp"

namespace sluice::lab {
namespace {

constexpr std::size_t kFramesAtOnce = 64;
constexpr std::uint32_t kSnapBytes = 2'048;
constexpr std::uint32_t kRetireMs = 10;
constexpr int kPatienceMs = 50;

std::uint64_t drain(PacketRing& ring, PcapWriter& writer) {
  std::uint64_t written = 0;
  while (ring.blockReady()) {
    RingBlock block = ring.block();
    std::array<Frame, kFramesAtOnce> frames;
    for (std::size_t count = block.next(frames); count > 0; count = block.next(frames)) {
      for (std::size_t i = 0; i < count; ++i) writer.write(frames[i]);
      written += count;
    }
    ring.release();
  }
  return written;
}

bool wantsEnd(const std::array<pollfd, 3>& watched, const Fd& signals) {
  if (watched[1].revents != 0 && takeSignal(signals) != 0) return true;
  std::array<char, 256> ignored{};
  return watched[2].revents != 0 &&
         ::read(STDIN_FILENO, ignored.data(), ignored.size()) <= 0;
}

std::uint64_t capture(PacketRing& ring, PcapWriter& writer, const Fd& signals) {
  std::uint64_t written = 0;
  std::array<pollfd, 3> watched = {pollfd{ring.fd(), POLLIN, 0},
                                   pollfd{signals.get(), POLLIN, 0},
                                   pollfd{STDIN_FILENO, POLLIN, 0}};
  do {
    ::poll(watched.data(), watched.size(), kPatienceMs);
    written += drain(ring, writer);
  } while (!wantsEnd(watched, signals));
  // A block that is being filled is retired by its timer: twice its time will do.
  ::poll(nullptr, 0, 2 * static_cast<int>(kRetireMs));
  return written + drain(ring, writer);
}

int run(const char* space, const char* interface, const char* file) {
  const Fd signals = watchSignals();
  if (const auto fault = enterNamespace(space)) {
    tell("lab-tap", *fault);
    return 1;
  }
  RingOptions options{.interface = interface, .retireMs = kRetireMs, .filter = {}};
  options.filter.snapBytes = kSnapBytes;
  PacketRing ring;
  if (const auto error = PacketRing::open(options, ring)) {
    tell("lab-tap", {.step = error->step, .error = error->error});
    return 1;
  }
  constexpr std::uint32_t kLinkRaw = 101;
  PcapWriter writer(file, kLinkRaw);
  if (!writer.ok()) {
    tell("lab-tap", {.step = "make the file", .error = errno});
    return 1;
  }
  static_cast<void>(raisePriority());
  std::fprintf(stderr, "ready\n");
  const std::uint64_t written = capture(ring, writer, signals);
  RingStatistics statistics;
  ring.readStatistics(statistics);
  if (!writer.close()) {
    tell("lab-tap", {.step = "write the file", .error = errno});
    return 1;
  }
  std::printf("{\"packets\":%llu,\"dropped\":%llu}\n",
              static_cast<unsigned long long>(written),
              static_cast<unsigned long long>(statistics.drops));
  return 0;
}

}  // namespace
}  // namespace sluice::lab

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: lab-tap NS INTERFACE FILE\n");
    return 2;
  }
  return sluice::lab::run(argv[1], argv[2], argv[3]);
}
