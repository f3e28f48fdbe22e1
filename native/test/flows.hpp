// A flow table on the bench: feeds made packets, reads back the records.
#pragma once

#include <cstdint>
#include <vector>

#include "check.hpp"
#include "flow-table.hpp"
#include "frames.hpp"

namespace sluice::test {

constexpr std::int64_t kMsNs = 1'000'000;
/** Stamps start here, in ms since the epoch. */
constexpr std::int64_t kStartMs = 1'700'000'000'000;

struct StoredSegment {
  SegmentHeader header;
  Buffer bytes;
};

/** A record taken apart. */
struct Record {
  RecordHeader header;
  std::vector<SeriesPacket> series;
  std::vector<StoredSegment> segments;

  [[nodiscard]] std::uint64_t packets() const {
    return header.packets[0] + header.packets[1];
  }
  [[nodiscard]] std::int64_t timeNs(std::size_t packet) const;
};

/** Takes records apart that lie back to back. */
std::vector<Record> parseRecords(Bytes bytes);

/** Owns a table and its time. */
class Bench {
 public:
  explicit Bench(FlowTableOptions options = {});

  /** A TCP packet over Ethernet and IPv4, `atMs` after the start. */
  void tcp(std::int64_t atMs, const Segment& segment);
  void udp(std::int64_t atMs, const Segment& segment);
  void frame(std::int64_t atNs, const Buffer& bytes);
  /** Three packets that open a connection, one ms apart. */
  void handshake(std::int64_t atMs, const Segment& client);

  /** All flows ended by now. */
  std::vector<Record> drain();
  /** All flows. */
  std::vector<Record> finish();

  FlowTable& table() { return table_; }
  [[nodiscard]] std::uint64_t ended(EndReason reason) const;
  [[nodiscard]] std::uint64_t dropped(DropReason reason) const;

 private:
  FlowTable table_;
  Buffer into_;
};

/** Small enough to be made by the hundred, same times as by default. */
FlowTableOptions small();

}  // namespace sluice::test
