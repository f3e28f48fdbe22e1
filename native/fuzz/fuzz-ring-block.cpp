// Any bytes -> a block of a packet ring: whatever a kernel might write, its frames lie in
// it.
#include <vector>

#include "input.hpp"
#include "ring-block.hpp"

namespace sluice::fuzz {
namespace {

void run(Bytes input) {
  Cursor cursor(input);
  const auto bits = cursor.take<1>();
  if (!bits) return;
  // A copy of its own: structures of a block are aligned as a page is.
  const Bytes rest = cursor.rest();
  const std::vector<std::byte> memory(rest.begin(), rest.end());
  const Bytes bytes(memory);
  RingBlock block(bytes, {.linkType = kLinkEthernet,
                          .vnetHeader = (bits->u8<0>() & 1U) != 0,
                          .outgoing = (bits->u8<0>() & 2U) != 0});
  std::array<Frame, 8> frames;
  for (int rounds = 0; rounds < 1'000; ++rounds) {
    const std::size_t count = block.next(frames);
    require(count <= frames.size(), "no more frames than asked for");
    for (const Frame& frame : std::span(frames).first(count)) {
      if (frame.bytes.empty()) continue;
      require(frame.bytes.data() >= bytes.data() &&
                  frame.bytes.data() + frame.bytes.size() <= bytes.data() + bytes.size(),
              "a frame lies in its block");
    }
    if (count < frames.size()) return;
  }
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" __attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(
    const std::uint8_t* data, std::size_t size) {
  sluice::fuzz::run(std::as_bytes(std::span(data, size)));
  return 0;
}
