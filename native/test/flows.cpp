#include "flows.hpp"

#include <algorithm>
#include <cstring>

namespace sluice::test {
namespace {

std::size_t padded(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

}  // namespace

std::int64_t Record::timeNs(std::size_t packet) const {
  const auto& parts = series.at(packet).timeNs;
  return std::int64_t{parts[0]} | std::int64_t{parts[1]} << 16 |
         std::int64_t{parts[2]} << 32;
}

std::vector<Record> parseRecords(Bytes bytes) {
  std::vector<Record> records;
  while (!bytes.empty()) {
    Record& record = records.emplace_back();
    std::memcpy(&record.header, bytes.data(), sizeof(RecordHeader));
    Bytes rest = bytes.first(record.header.recordBytes).subspan(sizeof(RecordHeader));
    bytes = bytes.subspan(record.header.recordBytes);

    const std::size_t seriesBytes = record.header.seriesPackets * sizeof(SeriesPacket);
    record.series.resize(record.header.seriesPackets);
    std::ranges::copy(rest.first(seriesBytes),
                      std::as_writable_bytes(std::span(record.series)).begin());
    Bytes segments = rest.subspan(padded(seriesBytes)).first(record.header.segmentBytes);
    while (!segments.empty()) {
      StoredSegment& segment = record.segments.emplace_back();
      std::memcpy(&segment.header, segments.data(), sizeof(SegmentHeader));
      const Bytes body =
          segments.subspan(sizeof(SegmentHeader)).first(segment.header.length);
      segment.bytes.assign(body.begin(), body.end());
      segments = segments.subspan(sizeof(SegmentHeader) + segment.header.length);
    }
  }
  return records;
}

Bench::Bench(FlowTableOptions options) : table_(options), into_(1U << 20U) {}

void Bench::frame(std::int64_t atNs, const Buffer& bytes) {
  table_.process({.bytes = bytes,
                  .wireLength = static_cast<std::uint32_t>(bytes.size()),
                  .linkType = kLinkEthernet,
                  .timeNs = kStartMs * kMsNs + atNs});
}

void Bench::tcp(std::int64_t atMs, const Segment& segment) {
  frame(atMs * kMsNs, tcpFrame(segment));
}

void Bench::udp(std::int64_t atMs, const Segment& segment) {
  frame(atMs * kMsNs, udpFrame(segment));
}

void Bench::handshake(std::int64_t atMs, const Segment& client) {
  tcp(atMs, client.with(kTcpSyn));
  tcp(atMs + 1, client.reversed().with(kTcpSyn | kTcpAck));
  tcp(atMs + 2, client.with(kTcpAck));
}

std::vector<Record> Bench::drain() {
  std::vector<Record> all;
  for (;;) {
    const Drained drained = table_.drain(into_);
    if (drained.records == 0) return all;
    const auto some = parseRecords(Bytes(into_).first(drained.bytes));
    all.insert(all.end(), some.begin(), some.end());
  }
}

std::vector<Record> Bench::finish() {
  table_.flush();
  return drain();
}

std::uint64_t Bench::ended(EndReason reason) const {
  return table_.counters().flowsEnded.at(static_cast<std::size_t>(reason));
}

std::uint64_t Bench::dropped(DropReason reason) const {
  return table_.counters().drops.at(static_cast<std::size_t>(reason));
}

FlowTableOptions small() {
  return {.maxFlows = 256, .maxRecords = 256, .poolBytes = 1U << 20U, .seed = 1};
}

}  // namespace sluice::test
