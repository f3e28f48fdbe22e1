// Capture files, read by the loop that knows no JavaScript.
#include "capture-file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "captures.hpp"
#include "check.hpp"
#include "flows.hpp"
#include "owned-fd.hpp"

namespace sluice::test {
namespace {

constexpr PcapLayout kPcap{};

/** A file in memory, at its beginning. */
Fd fileOf(const Buffer& bytes) {
  Fd file(::memfd_create("capture", MFD_CLOEXEC));
  for (std::size_t from = 0; from < bytes.size();) {
    const ssize_t count = ::write(file.get(), &bytes[from], bytes.size() - from);
    if (count <= 0) return Fd(-1);
    from += static_cast<std::size_t>(count);
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

struct Reading {
  Fed last;
  FlowCounters counters;
  std::size_t drains = 0;
  std::size_t pauses = 0;
};

Reading readThrough(const Buffer& bytes, const FlowTableOptions& options = small()) {
  const Fd descriptor = fileOf(bytes);
  CaptureFile file;
  FlowTable table(options);
  Buffer into(table.maxRecordBytes());
  Reading reading;
  for (;;) {
    reading.last = file.feed(descriptor.get(), table);
    while (table.drain(into).records > 0) continue;
    if (reading.last.state == FeedState::kDrain) {
      ++reading.drains;
    } else if (reading.last.state == FeedState::kPause) {
      ++reading.pauses;
    } else {
      break;
    }
  }
  reading.counters = table.counters();
  return reading;
}

void append(Buffer& to, const Buffer& more) {
  to.insert(to.end(), more.begin(), more.end());
}

Buffer udpRecord(unsigned port, std::size_t payload) {
  return pcapRecord(kPcap, udpFrame({.fromPort = port, .payload = payload}), 1, 0);
}

void whole(Suite& suite) {
  suite.test("file: all frames of a file longer than window and pause are fed",
             [](Check& check) {
               const Buffer record = udpRecord(7, 30'000);
               constexpr std::size_t kFrames = 2'400;
               Buffer bytes = pcapHeader(kPcap);
               for (std::size_t i = 0; i < kFrames; ++i) append(bytes, record);
               const Reading reading = readThrough(bytes);
               check.that(reading.last.state == FeedState::kEnded, "read to its end");
               check.that(reading.last.stop == IndexStop::kDone, "behind a frame");
               check.equal(reading.last.held, 0, "held");
               check.equal(reading.counters.packets, kFrames, "packets");
               check.equal(reading.pauses, 2, "pauses");
             });
  suite.test("file: feeding stops for a drain and goes on at the next frame",
             [](Check& check) {
               FlowTableOptions options = small();
               options.maxFlows = 64;
               options.maxRecords = 64;
               Buffer bytes = pcapHeader(kPcap);
               for (unsigned i = 0; i < 5'000; ++i) append(bytes, udpRecord(i, 30));
               const Reading reading = readThrough(bytes, options);
               check.equal(reading.counters.packets, 5'000, "packets");
               check.equal(reading.counters.flowsCreated, 5'000, "flows");
               check.that(reading.drains > 10, "drains");
             });
  suite.test("file: a block longer than chunk and carry is passed", [](Check& check) {
    const Buffer frame = udpFrame({.payload = 20});
    for (const std::size_t length : {200'000U, 3'000'000U, (16U << 20U) - 12}) {
      Buffer bytes = ngSection(false) + ngInterface(false, 1) +
                     ngPacket(false, 0, 1, frame) + ngBlock(false, 99, Buffer(length)) +
                     ngPacket(false, 0, 2, frame);
      const Reading reading = readThrough(bytes);
      check.that(reading.last.stop == IndexStop::kDone, "read to its end");
      check.equal(reading.counters.packets, 2, "packets");
    }
  });
}

void broken(Suite& suite) {
  suite.test("file: one that breaks off is read to its last whole frame",
             [](Check& check) {
               Buffer bytes = pcapHeader(kPcap) + udpRecord(1, 10) + udpRecord(2, 10);
               bytes.pop_back();
               const Reading reading = readThrough(bytes);
               check.that(reading.last.state == FeedState::kEnded, "ended");
               check.that(reading.last.stop == IndexStop::kFrame, "within a frame");
               check.equal(reading.last.held, udpRecord(2, 10).size() - 1, "held");
               check.equal(reading.counters.packets, 1, "packets");
               const Reading none = readThrough({});
               check.that(none.last.state == FeedState::kEnded, "an empty one ended");
               check.that(none.last.stop == IndexStop::kMagic, "before its magic number");
             });
  suite.test("file: what makes no sense, and what cannot be read, is told",
             [](Check& check) {
               const Reading text = readThrough(payloadOf(100));
               check.that(text.last.state == FeedState::kFault, "no capture");
               check.equal(text.last.detail, 0x03020100, "its magic number");
               CaptureFile file;
               FlowTable table(small());
               const Fed fed = file.feed(-1, table);
               check.that(fed.state == FeedState::kFailed, "no descriptor");
               check.equal(fed.detail, EBADF, "errno");
             });
}

}  // namespace

void captureFileTests(Suite& suite) {
  whole(suite);
  broken(suite);
}

}  // namespace sluice::test
