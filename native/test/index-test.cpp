// Keys, their hash, and the index over it.
#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "check.hpp"
#include "flow-index.hpp"
#include "flow-key.hpp"
#include "random.hpp"

namespace sluice::test {
namespace {

Packet packetOf(unsigned from, unsigned to, unsigned fromPort, unsigned toPort) {
  Packet packet;
  packet.ipVersion = 4;
  packet.protocol = kProtocolTcp;
  packet.source[2] = static_cast<std::byte>(from >> 8U);
  packet.source[3] = static_cast<std::byte>(from);
  packet.destination[2] = static_cast<std::byte>(to >> 8U);
  packet.destination[3] = static_cast<std::byte>(to);
  packet.sourcePort = static_cast<std::uint16_t>(fromPort);
  packet.destinationPort = static_cast<std::uint16_t>(toPort);
  return packet;
}

void keys(Suite& suite) {
  suite.test("key: a five-tuple and its reverse have one key", [](Check& check) {
    Random random(3);
    for (int i = 0; i < 1'000; ++i) {
      const unsigned a = random() % 8;
      const unsigned b = random() % 8;
      const unsigned p = random() % 4;
      const unsigned q = random() % 4;
      const DirectedKey there = keyOf(packetOf(a, b, p, q));
      const DirectedKey back = keyOf(packetOf(b, a, q, p));
      check.that(there.key == back.key, "same key");
      check.that(there.fromHigh != back.fromHigh || (a == b && p == q),
                 "other direction");
    }
  });
  suite.test("key: IPv4 and IPv6, TCP and UDP are kept apart", [](Check& check) {
    Packet packet = packetOf(1, 2, 3, 4);
    const FlowKey tcp4 = keyOf(packet).key;
    packet.ipVersion = 6;
    const FlowKey tcp6 = keyOf(packet).key;
    packet.protocol = kProtocolUdp;
    const FlowKey udp6 = keyOf(packet).key;
    check.that(!(tcp4 == tcp6) && !(tcp6 == udp6), "three keys");
    const KeyHasher hasher(1);
    check.that(hasher(tcp4) != hasher(tcp6) && hasher(tcp6) != hasher(udp6),
               "three hashes");
  });
  suite.test("hash: the same seed gives the same hash, another seed another",
             [](Check& check) {
               const FlowKey key = keyOf(packetOf(1, 2, 3, 4)).key;
               check.equal(KeyHasher(7)(key), KeyHasher(7)(key), "same");
               check.that(KeyHasher(7)(key) != KeyHasher(8)(key), "other");
               check.that(randomSeed() != randomSeed(), "random seeds differ");
             });
  suite.test("hash: regular five-tuples spread like random ones", [](Check& check) {
    constexpr std::size_t kBuckets = 4'096;
    constexpr int kKeys = 65'536;
    std::vector<int> buckets(kBuckets);
    const KeyHasher hasher(9);
    for (unsigned i = 0; i < kKeys; ++i) {
      ++buckets[hasher(keyOf(packetOf(i / 256, 7, i % 256, 443)).key) % kBuckets];
    }
    // 16 on average, standard deviation 4: 45 is seven of them off.
    check.that(*std::ranges::max_element(buckets) < 45, "no bucket is crowded");
    check.that(*std::ranges::min_element(buckets) > 0, "no bucket is empty");
  });
}

constexpr std::uint32_t kEntries = 64;

/** Compares the index with what it should hold. */
void compare(Check& check, const FlowIndex& index,
             const std::map<std::uint32_t, std::uint32_t>& hashes) {
  for (std::uint32_t entry = 0; entry < kEntries; ++entry) {
    const auto held = hashes.find(entry);
    for (std::uint32_t hash = 0; hash < 8; ++hash) {
      const std::uint32_t found =
          index.find(hash, [&](std::uint32_t candidate) { return candidate == entry; });
      const bool wanted = held != hashes.end() && held->second == hash;
      check.equal(found, wanted ? entry : kNone, "found");
    }
  }
}

void index(Suite& suite) {
  suite.test("index: holds what was put in, also when many collide", [](Check& check) {
    Random random(4);
    FlowIndex index(kEntries);
    std::map<std::uint32_t, std::uint32_t> hashes;
    for (int i = 0; i < 3'000; ++i) {
      const std::uint32_t entry = random() % kEntries;
      const auto held = hashes.find(entry);
      if (held != hashes.end()) {
        index.erase(held->second, entry);
        hashes.erase(held);
      } else {
        // Few hashes, at both ends of the slots: chains wrap round.
        const std::uint32_t hash =
            random() % 2 == 0 ? random() % 8 : 0xfffffff8 + random() % 8;
        index.insert(hash, entry);
        hashes[entry] = hash;
      }
      if (i % 100 == 0) compare(check, index, hashes);
    }
  });
  suite.test("index: erasing what is not in changes nothing", [](Check& check) {
    FlowIndex index(kEntries);
    index.insert(5, 1);
    index.erase(5, 2);
    index.erase(6, 1);
    check.equal(index.guess(5), 1, "still there");
  });
}

}  // namespace

void indexTests(Suite& suite) {
  keys(suite);
  index(suite);
}

}  // namespace sluice::test
