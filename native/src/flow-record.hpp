// The bytes of a flow record as TypeScript reads them: the mirror of
// src/flow/record-layout.ts. test/flow/record-layout.test.ts compares the two; raise
// kRecordLayoutVersion on any change.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "packet.hpp"

namespace sluice {

static_assert(std::endian::native == std::endian::little,
              "records are little endian and are copied out as they lie in memory");

inline constexpr std::uint32_t kRecordLayoutVersion = 3;

/** Of a flow. Indexes the two-element arrays of RecordHeader. */
enum class Direction : std::uint8_t { kUp = 0, kDown = 1 };  // up: client to server

/** Why a flow ended; the order is that of END_REASONS. kOpen: it has not, it is ready. */
enum class EndReason : std::uint8_t {
  kFin,
  kRst,
  kIdle,
  kActive,
  kReused,
  kEvicted,
  kFlush,
  kOpen
};
inline constexpr std::size_t kEndReasonCount = 8;
inline constexpr std::array<std::string_view, kEndReasonCount> kEndReasonNames = {
    "fin", "rst", "idle", "active", "reused", "evicted", "flush", "open"};

/** RecordHeader::flags. */
inline constexpr std::uint8_t kSynUp = 1;
inline constexpr std::uint8_t kSynDown = 2;
inline constexpr std::uint8_t kPayloadCutUp = 4;
inline constexpr std::uint8_t kPayloadCutDown = 8;
inline constexpr std::uint8_t kSeriesCut = 16;

/** SeriesPacket::marks. */
inline constexpr std::uint8_t kDown = 1;
inline constexpr std::uint8_t kBehind = 2;

/** SegmentHeader::flags. */
inline constexpr std::uint8_t kCaptureCut = 1;

/** Two of each: [up, down]. Meanings and units: record-layout.ts. */
struct RecordHeader {
  std::uint32_t recordBytes;
  std::uint8_t ipVersion;
  std::uint8_t protocol;
  EndReason endReason;
  std::uint8_t flags;
  std::uint16_t clientPort;
  std::uint16_t serverPort;
  std::uint16_t vlan;
  std::uint16_t seriesPackets;
  Address clientAddress;
  Address serverAddress;
  std::int64_t firstNs;
  std::int64_t lastNs;
  std::array<std::uint64_t, 2> packets;
  std::array<std::uint64_t, 2> bytes;
  std::array<std::uint64_t, 2> payloadBytes;
  std::array<std::uint32_t, 2> payloadPackets;
  std::array<std::array<std::uint32_t, 8>, 2> tcpFlags;
  std::uint32_t segmentBytes;
  std::array<std::uint32_t, 2> initialSequence;
  std::array<std::uint16_t, 2> initialWindow;
  std::uint32_t serial;
  std::uint8_t handovers;
  std::uint8_t table;
  std::uint16_t reserved;
};
static_assert(sizeof(RecordHeader) == 208);

/** One packet of the series; the time is a u48 in two parts. */
struct SeriesPacket {
  std::array<std::uint16_t, 3> timeNs;
  std::uint16_t ipLength;
  std::uint16_t payloadLength;
  std::uint8_t tcpFlags;
  std::uint8_t marks;

  [[nodiscard]] Direction direction() const {
    return (marks & kDown) != 0 ? Direction::kDown : Direction::kUp;
  }
};
static_assert(sizeof(SeriesPacket) == 12);

struct SegmentHeader {
  std::uint32_t sequence;
  std::uint16_t length;
  Direction direction;
  std::uint8_t flags;
};
static_assert(sizeof(SegmentHeader) == 8);

/** A name of record-layout.ts and its value here. */
struct LayoutConstant {
  std::string_view name;
  std::size_t value;
};

inline constexpr auto kHeaderLayout = std::to_array<LayoutConstant>({
    {"recordBytes", offsetof(RecordHeader, recordBytes)},
    {"ipVersion", offsetof(RecordHeader, ipVersion)},
    {"protocol", offsetof(RecordHeader, protocol)},
    {"endReason", offsetof(RecordHeader, endReason)},
    {"flags", offsetof(RecordHeader, flags)},
    {"clientPort", offsetof(RecordHeader, clientPort)},
    {"serverPort", offsetof(RecordHeader, serverPort)},
    {"vlan", offsetof(RecordHeader, vlan)},
    {"seriesPackets", offsetof(RecordHeader, seriesPackets)},
    {"clientAddress", offsetof(RecordHeader, clientAddress)},
    {"serverAddress", offsetof(RecordHeader, serverAddress)},
    {"firstNs", offsetof(RecordHeader, firstNs)},
    {"lastNs", offsetof(RecordHeader, lastNs)},
    {"packetsUp", offsetof(RecordHeader, packets)},
    {"packetsDown", offsetof(RecordHeader, packets) + 8},
    {"bytesUp", offsetof(RecordHeader, bytes)},
    {"bytesDown", offsetof(RecordHeader, bytes) + 8},
    {"payloadBytesUp", offsetof(RecordHeader, payloadBytes)},
    {"payloadBytesDown", offsetof(RecordHeader, payloadBytes) + 8},
    {"payloadPacketsUp", offsetof(RecordHeader, payloadPackets)},
    {"payloadPacketsDown", offsetof(RecordHeader, payloadPackets) + 4},
    {"tcpFlagsUp", offsetof(RecordHeader, tcpFlags)},
    {"tcpFlagsDown", offsetof(RecordHeader, tcpFlags) + 32},
    {"segmentBytes", offsetof(RecordHeader, segmentBytes)},
    {"initialSequenceUp", offsetof(RecordHeader, initialSequence)},
    {"initialSequenceDown", offsetof(RecordHeader, initialSequence) + 4},
    {"initialWindowUp", offsetof(RecordHeader, initialWindow)},
    {"initialWindowDown", offsetof(RecordHeader, initialWindow) + 2},
    {"serial", offsetof(RecordHeader, serial)},
    {"handovers", offsetof(RecordHeader, handovers)},
    {"table", offsetof(RecordHeader, table)},
});

inline constexpr auto kPacketLayout = std::to_array<LayoutConstant>({
    {"timeNs", offsetof(SeriesPacket, timeNs)},
    {"ipLength", offsetof(SeriesPacket, ipLength)},
    {"payloadLength", offsetof(SeriesPacket, payloadLength)},
    {"tcpFlags", offsetof(SeriesPacket, tcpFlags)},
    {"marks", offsetof(SeriesPacket, marks)},
});

inline constexpr auto kSegmentLayout = std::to_array<LayoutConstant>({
    {"sequence", offsetof(SegmentHeader, sequence)},
    {"length", offsetof(SegmentHeader, length)},
    {"direction", offsetof(SegmentHeader, direction)},
    {"flags", offsetof(SegmentHeader, flags)},
});

inline constexpr auto kRecordFlagLayout = std::to_array<LayoutConstant>({
    {"synUp", kSynUp},
    {"synDown", kSynDown},
    {"payloadCutUp", kPayloadCutUp},
    {"payloadCutDown", kPayloadCutDown},
    {"seriesCut", kSeriesCut},
});

inline constexpr auto kPacketMarkLayout = std::to_array<LayoutConstant>({
    {"down", kDown},
    {"behind", kBehind},
});

inline constexpr auto kSegmentFlagLayout = std::to_array<LayoutConstant>({
    {"captureCut", kCaptureCut},
});

}  // namespace sluice
