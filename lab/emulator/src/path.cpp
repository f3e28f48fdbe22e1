#include "path.hpp"

#include <algorithm>
#include <utility>

namespace sluice::lab {
namespace {

constexpr std::size_t kIpv4Bytes = 20;
constexpr std::size_t kIpv6Bytes = 40;

Address addressAt(Bytes packet, std::size_t at, std::size_t length) {
  Address address{};
  const Bytes found = packet.subspan(at, length);
  std::copy(found.begin(), found.end(), address.begin());
  return address;
}

struct Ends {
  Address client;
  Address server;
};

/** On its way up a packet's source is the client. */
std::optional<Ends> endsOf(Way way, Bytes packet) {
  if (packet.empty()) return std::nullopt;
  const auto version = std::to_integer<unsigned>(packet[0]) >> 4U;
  Ends ends{};
  if (version == 4 && packet.size() >= kIpv4Bytes) {
    ends = {.client = addressAt(packet, 12, 4), .server = addressAt(packet, 16, 4)};
  } else if (version == 6 && packet.size() >= kIpv6Bytes) {
    ends = {.client = addressAt(packet, 8, 16), .server = addressAt(packet, 24, 16)};
  } else {
    return std::nullopt;
  }
  if (way == Way::kDown) std::swap(ends.client, ends.server);
  return ends;
}

}  // namespace

Path::Path(const PathSettings& settings, std::uint32_t poolPackets)
    : lineOfClient_(settings.lineOfClient),
      delayNsOfServer_(settings.delayNsOfServer),
      pool_(poolPackets) {
  // Each direction has dice of its own, so that what one loses does not move the other.
  std::uint64_t seed = settings.seed * 1'000;
  for (const auto& [up, down] : settings.lines) {
    lines_.push_back({DelayLine(up, seed), DelayLine(down, seed + 1)});
    seed += 2;
  }
}

void Path::offer(std::int64_t nowNs, Way way, Bytes packet) {
  const auto ends = endsOf(way, packet);
  const auto found = ends ? lineOfClient_.find(ends->client) : lineOfClient_.end();
  if (found == lineOfClient_.end()) {
    ++counters_.strangers;
    return;
  }
  DelayLine& line = lines_[found->second][static_cast<std::size_t>(way)];
  const Fate fate = line.admit(nowNs, static_cast<std::uint32_t>(packet.size()));
  if (fate.drop) {
    ++(*fate.drop == LineDrop::kLoss ? counters_.lost : counters_.queueDropped);
    return;
  }
  const auto slot = pool_.put(packet);
  if (!slot) {
    ++counters_.poolDropped;
    return;
  }
  // The same for each packet of a flow, so their order stays.
  const auto farther = delayNsOfServer_.find(ends->server);
  const std::int64_t extraNs = farther == delayNsOfServer_.end() ? 0 : farther->second;
  waiting_.push({fate.releaseNs + extraNs, order_++, *slot, way});
}

std::optional<Due> Path::due(std::int64_t nowNs) const {
  if (waiting_.empty() || waiting_.top().releaseNs > nowNs) return std::nullopt;
  const Waiting& next = waiting_.top();
  return Due{.way = next.way, .packet = pool_.at(next.slot), .releaseNs = next.releaseNs};
}

void Path::released(std::int64_t nowNs) {
  const Waiting gone = waiting_.top();
  waiting_.pop();
  const auto way = static_cast<std::size_t>(gone.way);
  ++counters_.packets[way];
  counters_.bytes[way] += pool_.at(gone.slot).size();
  lateness_.add(nowNs - gone.releaseNs);
  pool_.giveBack(gone.slot);
}

std::optional<std::int64_t> Path::nextNs() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.top().releaseNs;
}

}  // namespace sluice::lab
