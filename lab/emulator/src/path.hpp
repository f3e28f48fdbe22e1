// Packets that come -> packets that are let go later, or never. Knows no clock and no
// device: the time is handed in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "bytes.hpp"
#include "delay-line.hpp"
#include "lateness.hpp"
#include "packet-pool.hpp"
#include "settings.hpp"

namespace sluice::lab {

struct PathCounters {
  std::array<std::uint64_t, 2> packets{};  // let go, by Way
  std::array<std::uint64_t, 2> bytes{};
  std::uint64_t lost = 0;          // as the line's loss wants it
  std::uint64_t queueDropped = 0;  // the line's queue was full
  std::uint64_t poolDropped = 0;   // no memory left: the path itself was overloaded
  std::uint64_t strangers = 0;     // neither end is a client; or no IP packet
};

/** A packet whose time has come. */
struct Due {
  Way way = Way::kUp;
  Bytes packet;
  std::int64_t releaseNs = 0;  // when it should have gone
};

class Path {
 public:
  Path(const PathSettings& settings, std::uint32_t poolPackets);

  /** Takes a packet that has come on its way; a copy, if it is taken at all. */
  void offer(std::int64_t nowNs, Way way, Bytes packet);
  /** The next packet whose time has come by now; valid until `released`. */
  [[nodiscard]] std::optional<Due> due(std::int64_t nowNs) const;
  /** The packet that `due` gave has gone at that time. */
  void released(std::int64_t nowNs);
  /** When the next packet is to go. */
  [[nodiscard]] std::optional<std::int64_t> nextNs() const;

  [[nodiscard]] const PathCounters& counters() const { return counters_; }
  [[nodiscard]] const Lateness& lateness() const { return lateness_; }

 private:
  struct Waiting {
    std::int64_t releaseNs;
    std::uint64_t order;  // of coming: what is due at the same time goes in this order
    std::uint32_t slot;
    Way way;
    bool operator>(const Waiting& other) const {
      return releaseNs != other.releaseNs ? releaseNs > other.releaseNs
                                          : order > other.order;
    }
  };

  std::map<Address, std::size_t> lineOfClient_;
  std::map<Address, std::int64_t> delayNsOfServer_;
  std::vector<std::array<DelayLine, 2>> lines_;
  PacketPool pool_;
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> waiting_;
  std::uint64_t order_ = 0;
  PathCounters counters_;
  Lateness lateness_;
};

}  // namespace sluice::lab
