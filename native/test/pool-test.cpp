// The chunk pool: strings of bytes in pieces.
#include <vector>

#include "check.hpp"
#include "chunk-pool.hpp"
#include "frames.hpp"
#include "random.hpp"

namespace sluice::test {

void poolTests(Suite& suite) {
  suite.test("pool: chains give back what was put in", [](Check& check) {
    Random random(6);
    ChunkPool pool(64 * ChunkPool::kChunkBytes);
    std::vector<ByteChain> chains(5);
    std::vector<Buffer> wanted(5);
    for (int i = 0; i < 2'000; ++i) {
      const std::size_t which = random() % 5;
      if (random() % 8 == 0) {
        pool.release(chains[which]);
        wanted[which].clear();
      }
      Buffer more(random() % 600);
      for (std::byte& byte : more) byte = static_cast<std::byte>(random());
      if (more.size() <= pool.room(chains[which])) {
        pool.append(chains[which], more);
        wanted[which] = wanted[which] + more;
      }
      Buffer got(wanted[which].size());
      pool.copy(chains[which], got);
      check.that(got == wanted[which], "same bytes");
    }
    for (ByteChain& chain : chains) pool.release(chain);
    check.equal(pool.used(), 0, "all chunks are back");
    check.that(pool.peak() > 0 && pool.peak() <= 64, "peak");
  });
  suite.test("pool: has room for its size exactly", [](Check& check) {
    ChunkPool pool(3 * ChunkPool::kChunkBytes);
    ByteChain chain{};
    const std::size_t room = 3 * std::size_t{ChunkPool::kChunkRoom};
    check.equal(pool.room(chain), room, "room");
    pool.append(chain, payloadOf(room - 1));
    check.equal(pool.room(chain), 1, "room for the last byte");
    pool.append(chain, payloadOf(1));
    check.equal(pool.room(chain), 0, "room when full");
    check.equal(pool.free(), 0, "free chunks");
  });
}

}  // namespace sluice::test
