// Capture files -> the index of their frames.
#include "capture-indexer.hpp"

#include <algorithm>
#include <vector>

#include "captures.hpp"
#include "check.hpp"
#include "frame-block.hpp"
#include "random.hpp"

namespace sluice::test {
namespace {

struct Seen {
  Buffer bytes;
  std::uint32_t wire;
  std::uint32_t seconds;
  std::uint32_t nanoseconds;
  std::uint32_t linkType;

  bool operator==(const Seen&) const = default;
};

struct Reading {
  std::vector<Seen> frames;
  IndexStop stop = IndexStop::kDone;
  std::uint64_t homeless = 0;
};

/** Reads `file`, at first `step` bytes of it, then as many more as are wanted or `step`.
 */
Reading readIn(const Buffer& file, std::size_t step, std::size_t indexFrames = 3) {
  CaptureIndexer indexer;
  Reading reading;
  std::vector<std::uint32_t> index(indexFrames * kIndexWords);
  std::size_t from = 0;
  for (std::size_t to = std::min(step, file.size());;) {
    // A copy of its own, so that the sanitizers see every byte that is read beyond it.
    const Buffer window(file.begin() + static_cast<std::ptrdiff_t>(from),
                        file.begin() + static_cast<std::ptrdiff_t>(to));
    const Indexed indexed =
        indexer.index(window, static_cast<std::uint32_t>(from), index);
    for (std::size_t i = 0; i < indexed.frames; ++i) {
      const auto* entry = &index[i * kIndexWords];
      const auto start = file.begin() + static_cast<std::ptrdiff_t>(entry[0]);
      reading.frames.push_back({.bytes = Buffer(start, start + entry[1]),
                                .wire = entry[2],
                                .seconds = entry[3],
                                .nanoseconds = entry[4],
                                .linkType = indexed.linkType});
    }
    from += indexed.passed;
    reading.stop = indexed.stop;
    reading.homeless = indexer.homeless();
    if (indexed.stop == IndexStop::kHandOver) continue;
    if (indexed.stop > IndexStop::kDone || to == file.size()) return reading;
    to = std::min(file.size(), std::max(from + indexed.wanted, to + step));
  }
}

Buffer bytesOf(std::size_t count) { return payloadOf(count); }

void pcap(Suite& suite) {
  for (const bool bigEndian : {false, true}) {
    for (const std::uint32_t magic : {0xa1b2c3d4U, 0xa1b23c4dU, 0xa1b2cd34U}) {
      suite.test("indexer: a pcap of either order and any magic gives its frames",
                 [=](Check& check) {
                   // Bits above the link type tell the length of a frame check sequence.
                   const PcapLayout layout{magic, bigEndian, 0xf4000071};
                   const Buffer file = pcapHeader(layout) +
                                       pcapRecord(layout, bytesOf(5), 1'000, 999'999) +
                                       pcapRecord(layout, {}, 1'001, 0) +
                                       pcapRecord(layout, bytesOf(70), 1'002, 7) +
                                       pcapRecord(layout, bytesOf(1), 1'003, 8);
                   const std::uint32_t unit = magic == 0xa1b23c4dU ? 1 : 1'000;
                   for (const std::size_t step : {1, 7, 1'000}) {
                     const Reading reading = readIn(file, step);
                     check.that(reading.stop == IndexStop::kDone, "read to its end");
                     check.equal(reading.frames.size(), 4, "frames");
                     const Seen& first = reading.frames.front();
                     check.that(first == Seen{.bytes = bytesOf(5),
                                              .wire = 5,
                                              .seconds = 1'000,
                                              .nanoseconds = 999'999 * unit,
                                              .linkType = 113},
                                "the first frame");
                     check.equal(reading.frames[2].bytes.size(), 70, "captured");
                   }
                 });
    }
  }
  suite.test(
      "indexer: what is no capture, and a frame too long, are told as such",
      [](Check& check) {
        const PcapLayout layout;
        check.that(readIn(bytesOf(30), 9).stop == IndexStop::kUnknownFormat, "text");
        check.that(readIn(bytesOf(3), 9).stop == IndexStop::kMagic, "three bytes");
        const Buffer header = pcapHeader(layout);
        check.that(
            readIn({header.begin(), header.end() - 1}, 9).stop == IndexStop::kFileHeader,
            "a header cut short");
        Buffer file = header + pcapRecord(layout, bytesOf(9), 1, 2);
        file[24 + 10] = std::byte{5};
        check.that(readIn(file, 9).stop == IndexStop::kBadFrame, "327,689 bytes");
        file[24 + 10] = std::byte{4};
        file[24 + 8] = std::byte{0};
        check.that(readIn(file, 9).stop == IndexStop::kFrame, "262,144 bytes");
      });
}

void pcapng(Suite& suite) {
  suite.test(
      "indexer: each interface of pcapng has its link type and clock", [](Check& check) {
        for (const bool big : {false, true}) {
          const Buffer file =
              ngSection(big) + ngInterface(big, 1) + ngInterface(big, 101, 9) +
              ngInterface(big, 1, 0x80 | 10, true) + ngInterface(big, 1, 18) +
              ngPacket(big, 0, 5'123'456, bytesOf(5)) +
              ngPacket(big, 1, 5'123'456'789, bytesOf(6)) +
              ngBlock(big, 99, bytesOf(50)) + ngPacket(big, 4, 0, bytesOf(7)) +
              ngPacket(big, 2, 1'024 * 6 + 512, bytesOf(8)) +
              ngPacket(big, 3, 5'999'999'999'999'999'999, {}) + ngSection(!big) +
              ngInterface(!big, 1) +
              ngBlock(!big, 3, FileWriter(!big).u32(40).take() + bytesOf(20)) +
              ngBlock(!big, 2,
                      FileWriter(!big).u16(0).u16(9).u32(0).u32(7).u32(2).u32(9).take() +
                          bytesOf(2));
          const std::vector<std::pair<std::uint32_t, std::uint32_t>> times = {
              {5, 123'456'000}, {5, 123'456'789}, {5, 500'000'000},
              {5, 999'999'999}, {0, 0},           {0, 7'000}};
          for (const std::size_t step : {1, 13, 5'000}) {
            const Reading reading = readIn(file, step);
            check.that(reading.stop == IndexStop::kDone, "read to its end");
            check.equal(reading.homeless, 1, "of no interface");
            check.equal(reading.frames.size(), times.size(), "frames");
            for (std::size_t i = 0; i < reading.frames.size(); ++i) {
              const Seen& frame = reading.frames[i];
              check.equal(frame.seconds, times[i].first, "seconds");
              check.equal(frame.nanoseconds, times[i].second, "nanoseconds");
              check.equal(frame.linkType, i == 1 ? 101 : 1, "link type");
            }
            check.equal(reading.frames[4].bytes.size(), 10, "by its snap length");
            check.equal(reading.frames[4].wire, 40, "as it was on the wire");
          }
        }
      });
  suite.test("indexer: blocks that make no sense end the reading", [](Check& check) {
    const Buffer start = ngSection(false) + ngInterface(false, 1);
    const auto stopOf = [&](const Buffer& more) { return readIn(start + more, 11).stop; };
    Buffer section = ngSection(false);
    section[8] = std::byte{0};
    check.that(stopOf(section) == IndexStop::kBadByteOrder, "byte order");
    for (const std::uint32_t length : {8U, 13U, 17U << 20U}) {
      const Buffer block = FileWriter(false).u32(5).u32(length).u32(0).take();
      check.that(stopOf(block) == IndexStop::kBadBlockLength, "length");
    }
    check.that(stopOf(ngBlock(false, 6, bytesOf(16))) == IndexStop::kBadBlock, "packet");
    check.that(stopOf(ngBlock(false, 1, bytesOf(4))) == IndexStop::kBadBlock,
               "interface");
    check.that(stopOf(ngBlock(false, 3, {})) == IndexStop::kBadBlock, "simple packet");
    check.that(stopOf(Buffer(3)) == IndexStop::kBlock, "cut short");
    Buffer many = start;
    for (int i = 1; i < 4'096; ++i) many = many + ngInterface(false, 1);
    check.that(readIn(many, 1 << 20).stop == IndexStop::kDone, "4,096 interfaces");
    check.that(readIn(many + ngInterface(false, 1), 1 << 20).stop == IndexStop::kBadBlock,
               "one more");
  });
}

void hostile(Suite& suite) {
  suite.test(
      "indexer: any damage reads the same in one piece and in many", [](Check& check) {
        Random random(5);
        for (int round = 0; round < 4'000; ++round) {
          const bool big = random() % 2 == 0;
          const PcapLayout layout{.bigEndian = big};
          Buffer file = random() % 2 == 0
                            ? pcapHeader(layout) + pcapRecord(layout, bytesOf(30), 1, 2) +
                                  pcapRecord(layout, bytesOf(9), 1, 2)
                            : ngSection(big) + ngInterface(big, 1) +
                                  ngPacket(big, 0, 9, bytesOf(9)) + ngInterface(big, 9) +
                                  ngPacket(big, 1, 9, bytesOf(30));
          for (unsigned changes = random() % 4; changes > 0; --changes) {
            file[random() % file.size()] = static_cast<std::byte>(random());
          }
          const Reading whole = readIn(file, file.size(), 100);
          const Reading parts = readIn(file, 1 + random() % 20, 1);
          check.that(whole.frames == parts.frames, "frames");
          check.that(whole.stop == parts.stop, "stop");
          check.that(whole.homeless == parts.homeless, "of no interface");
        }
      });
}

}  // namespace

void captureIndexerTests(Suite& suite) {
  pcap(suite);
  pcapng(suite);
  hostile(suite);
}

}  // namespace sluice::test
