// What the lines between clients and servers are like: a text file -> checked settings.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "packet.hpp"

namespace sluice::lab {

/** One direction of an access line. All zero: a wire that costs nothing. */
struct LineSettings {
  std::int64_t delayNs = 0;       // always
  std::int64_t jitterNs = 0;      // mean of what comes on top; one-sided, exponential
  std::int64_t jitterHoldNs = 0;  // how long one draw of it holds; 0: a draw a packet
  std::int64_t rateBps = 0;       // bits a second; 0: no limit
  std::int64_t queueBytes = 0;    // that may wait for the rate; meaningless without one
  double loss = 0;                // of single packets, 0 to 1
  // Gilbert's model of bursts: in a burst `burstLoss` of the packets are lost.
  double burstEnter = 0;  // chance, a packet, that a burst begins
  double burstLeave = 1;  // chance, a packet, that it ends
  double burstLoss = 0;
};

enum class Way : std::uint8_t { kUp, kDown };  // up: from client to server

struct PathSettings {
  std::uint64_t seed = 1;
  std::vector<std::array<LineSettings, 2>> lines;  // by Way
  std::map<Address, std::size_t> lineOfClient;
  std::map<Address, std::int64_t> delayNsOfServer;  // each way, beyond the line
};

struct SettingsError {
  std::size_t line = 0;  // of the text, from 1
  std::string what;      // what was wrong and what was expected
};

/**
 * Reads settings:
 *
 *   seed 42
 *   line 0 up delay_us=10000 jitter_us=500 jitter_hold_us=20000 rate_kbps=20000
 *   line 0 down delay_us=10000 rate_kbps=100000 queue_bytes=500000 loss=0.0001
 *   client 10.77.0.2 0
 *   client fd77::2 0
 *   server 10.200.0.1 8000        a server that is 8,000 us farther, each way
 *
 * Lines are numbered from 0 without a gap. Keys that are left out are as in
 * `LineSettings`; `burst_enter`, `burst_leave`, `burst_loss` are the others. Empty lines
 * and those that begin with # are passed over.
 */
[[nodiscard]] std::variant<PathSettings, SettingsError> readSettings(
    const std::string& text);

}  // namespace sluice::lab
