#include "capture-thread.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t kFramesAtOnce = 64;
/** How often time goes on for flows while no frame comes. */
constexpr int kIdleMs = 20;
/** How often an interface that is down is looked at. */
constexpr int kDownMs = 200;
/** Counters are published no more often: they are read by people and reports. */
constexpr std::int64_t kPublishNs = 50'000'000;
/** Blocks in a row before records are handed over: a burst must not starve who takes
 * them. */
constexpr int kBlocksInARow = 4;

std::int64_t wallClockNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t monotonicNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

CaptureThread::CaptureThread(PacketRing ring, const FlowTableOptions& options,
                             Notify notify)
    : ring_(std::move(ring)),
      table_(options),
      notify_(std::move(notify)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

CaptureThread::~CaptureThread() {
  abandoned_ = true;
  stop();
  if (thread_.joinable()) thread_.join();
}

void CaptureThread::start() {
  // Signals are the main thread's: the new thread inherits this mask.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void CaptureThread::stop() {
  stopping_ = true;
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.get(), &one, sizeof(one)));
}

void CaptureThread::lend(std::uint32_t batch, std::span<std::byte> memory) {
  bool starved = false;
  {
    const std::scoped_lock lock(mutex_);
    starved = free_.empty();
    free_.push_back({.batch = batch, .memory = memory});
  }
  if (!starved) return;
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.get(), &one, sizeof(one)));
}

std::optional<CaptureThread::Taken> CaptureThread::take() {
  const std::scoped_lock lock(mutex_);
  if (filled_.empty()) return std::nullopt;
  const Taken taken = filled_.front();
  filled_.pop_front();
  return taken;
}

CaptureReport CaptureThread::report() const {
  const std::scoped_lock lock(mutex_);
  return report_;
}

void CaptureThread::run() {
  ::pthread_setname_np(::pthread_self(), "sluice-capture");
  while (!stopping_ && !interfaceGone_) {
    readRing();
    if (!ring_.blockReady()) table_.advance(wallClockNs());
    deliver();
    publish();
    if (!ring_.blockReady()) wait(patienceMs());
    watchInterface();
  }
  finish();
}

int CaptureThread::patienceMs() const {
  return state_ == CaptureState::kDown ? kDownMs : kIdleMs;
}

void CaptureThread::readRing() {
  for (int blocks = 0; blocks < kBlocksInARow && ring_.blockReady(); ++blocks)
    readBlock();
}

void CaptureThread::readBlock() {
  RingBlock block = ring_.block();
  std::array<Frame, kFramesAtOnce> frames;
  for (;;) {
    const std::size_t count = block.next(frames);
    table_.feedAll(std::span(frames).first(count));
    if (count < frames.size()) break;
    // So that the table's own queue stays short where somebody takes the records.
    if (table_.needsDrain()) deliver();
  }
  ring_.release();
}

void CaptureThread::wait(int timeoutMs) const {
  std::array<pollfd, 2> watched = {
      pollfd{.fd = wake_.get(), .events = POLLIN, .revents = 0},
      pollfd{.fd = ring_.fd(), .events = POLLIN, .revents = 0}};
  ::poll(watched.data(), watched.size(), timeoutMs);
  std::uint64_t count = 0;
  if ((watched[0].revents & POLLIN) != 0) {
    static_cast<void>(::read(wake_.get(), &count, sizeof(count)));
  }
}

/** The kernel reports ENETDOWN once, whether the interface is only down or gone. */
void CaptureThread::watchInterface() {
  if (state_ != CaptureState::kDown && ring_.takeError() == 0) return;
  switch (ring_.presence()) {
    case PacketRing::Presence::kUp:
      setState(CaptureState::kRunning);
      return;
    case PacketRing::Presence::kDown:
      setState(CaptureState::kDown);
      return;
    case PacketRing::Presence::kGone:
      interfaceGone_ = true;
      return;
  }
}

void CaptureThread::setState(CaptureState state) {
  if (state == state_) return;
  state_ = state;
  publishedNs_ = 0;
  publish();
  notify_();
}

void CaptureThread::deliver() {
  while (table_.hasOutput() && deliverOne()) {
  }
}

/** False when no batch is at hand. */
bool CaptureThread::deliverOne() {
  Lent lent{};
  {
    const std::scoped_lock lock(mutex_);
    if (free_.empty()) {
      ++waits_;
      return false;
    }
    lent = free_.front();
    free_.pop_front();
  }
  const Drained drained = table_.drain(lent.memory);
  {
    const std::scoped_lock lock(mutex_);
    // Of ready flows that have ended meanwhile nothing is left to write.
    if (drained.bytes == 0) {
      free_.push_front(lent);
      return true;
    }
    filled_.push_back({.batch = lent.batch, .bytes = drained.bytes});
  }
  ++batches_;
  notify_();
  return true;
}

/** What the kernel has captured by now is read, then every flow ends. */
void CaptureThread::finish() {
  setState(CaptureState::kEnding);
  // A block that is being filled is retired by its timer: twice its time will do.
  const std::int64_t until = monotonicNs() + 2 * std::int64_t{kIdleMs} * 1'000'000;
  while (!abandoned_ &&
         (ring_.blockReady() || (!interfaceGone_ && monotonicNs() < until))) {
    readRing();
    deliver();
    if (!ring_.blockReady()) wait(1);
  }
  table_.flush();
  while (!abandoned_ && table_.hasOutput()) {
    deliver();
    if (table_.hasOutput()) wait(kIdleMs);
  }
  setState(CaptureState::kEnded);
}

void CaptureThread::publish() {
  const std::int64_t now = monotonicNs();
  if (publishedNs_ != 0 && now - publishedNs_ < kPublishNs) return;
  publishedNs_ = now;
  ring_.readStatistics(statistics_);
  const FlowGauges gauges = table_.gauges();
  const std::scoped_lock lock(mutex_);
  report_ = {.state = state_,
             .interfaceGone = interfaceGone_,
             .ring = statistics_,
             .flows = table_.counters(),
             .gauges = gauges,
             .batches = batches_,
             .waits = waits_};
}

}  // namespace sluice
