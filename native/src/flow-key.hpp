// Five-tuples in an order that is the same both ways, and their seeded hash.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <type_traits>

#include "packet.hpp"

namespace sluice {

/**
 * A five-tuple without direction: the smaller end point is `low`. What "smaller" is has
 * no meaning.
 */
struct FlowKey {
  Address low;
  Address high;
  std::uint16_t lowPort;
  std::uint16_t highPort;
  std::uint8_t protocol;
  std::uint8_t ipVersion;

  /** As one piece of memory: the compiler's own comparison goes byte by byte. */
  bool operator==(const FlowKey& other) const {
    return std::memcmp(this, &other, sizeof(FlowKey)) == 0;
  }
};
static_assert(sizeof(FlowKey) == 38 && std::has_unique_object_representations_v<FlowKey>);

/** A packet's key and which of its ends sent it. */
struct DirectedKey {
  FlowKey key;
  bool fromHigh;
};

/** The two halves of an address as numbers: any fixed order will do. */
inline std::array<std::uint64_t, 2> halves(const Address& address) {
  return std::bit_cast<std::array<std::uint64_t, 2>>(address);
}

/** One key for both ways. A packet from an end point to itself comes from the low end. */
inline DirectedKey keyOf(const Packet& packet) {
  const auto source = halves(packet.source);
  const auto destination = halves(packet.destination);
  const bool fromHigh =
      std::tuple(source[0], source[1], packet.sourcePort) >
      std::tuple(destination[0], destination[1], packet.destinationPort);
  return {.key = {.low = fromHigh ? packet.destination : packet.source,
                  .high = fromHigh ? packet.source : packet.destination,
                  .lowPort = fromHigh ? packet.destinationPort : packet.sourcePort,
                  .highPort = fromHigh ? packet.sourcePort : packet.destinationPort,
                  .protocol = packet.protocol,
                  .ipVersion = packet.ipVersion},
          .fromHigh = fromHigh};
}

/**
 * SipHash-1-3 under a secret key: who does not know the key cannot choose five-tuples
 * that collide. Aumasson, Bernstein: SipHash, a fast short-input PRF (2012).
 */
class KeyHasher {
 public:
  /** The same seed gives the same hashes. */
  explicit KeyHasher(std::uint64_t seed);

  [[nodiscard]] std::uint32_t operator()(const FlowKey& key) const;

 private:
  std::uint64_t k0_;
  std::uint64_t k1_;
};

/** A seed that nobody can guess. */
[[nodiscard]] std::uint64_t randomSeed();

}  // namespace sluice
