// What is asked of the kernel, on the loopback interface: no root needed.
#include <fcntl.h>
#include <linux/if_arp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "capture-probe.hpp"
#include "check.hpp"
#include "interface-facts.hpp"
#include "owned-fd.hpp"

namespace sluice::test {
namespace {

bool isOpen(int fd) { return ::fcntl(fd, F_GETFD) != -1; }

constexpr std::size_t kBytes = 4'096;

void* mapShared(const Fd& fd) {
  return ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
}

Fd openZero() { return Fd(::open("/dev/zero", O_RDWR | O_CLOEXEC)); }

void owners(Suite& suite) {
  suite.test("fd: the last owner closes it, once", [](Check& check) {
    int number = -1;
    {
      Fd first = openZero();
      number = first.get();
      Fd second = std::move(first);
      check.equal(second.get(), number, "moved");
      Fd third;
      third = std::move(second);
      check.that(third.ok() && isOpen(number), "is open");
      third = Fd();
      check.that(!isOpen(number), "closed when another takes its place");
    }
    check.that(!isOpen(number), "closed");
  });
  suite.test("mapping: outlives its descriptor and moves", [](Check& check) {
    Mapping moved;
    check.that(!moved.ok(), "is empty at first");
    {
      const Fd fd = openZero();
      Mapping mapping(mapShared(fd), kBytes);
      check.that(mapping.ok(), "is mapped");
      moved = std::move(mapping);
    }
    check.equal(moved.bytes().size(), kBytes, "size");
    moved.bytes()[kBytes - 1] = std::byte{7};
    check.equal(moved.bytes()[kBytes - 1], std::byte{7}, "holds what is written");
  });
  suite.test("mapping: of nothing it is not ok", [](Check& check) {
    check.that(!Mapping(mapShared(Fd()), kBytes).ok(), "bad descriptor");
  });
}

void facts(Suite& suite) {
  suite.test("interface: the loopback is known and large", [](Check& check) {
    const auto answer = interfaceFacts("lo");
    const auto* lo = std::get_if<InterfaceFacts>(&answer);
    check.that(lo != nullptr, "facts");
    if (lo == nullptr) return;
    check.equal(lo->index, 1, "index");
    check.equal(lo->hardwareType, ARPHRD_LOOPBACK, "hardware type");
    check.that(lo->mtu >= 1'500, "mtu");
    check.that(lo->offloads.gro.has_value(), "gro is told");
  });
  suite.test("interface: what no interface can be called is unknown, never cut short",
             [](Check& check) {
               const std::string tooLong(200, 'a');
               for (const std::string_view name :
                    {std::string_view(""), std::string_view("lo:1"),
                     std::string_view("lo\0x", 4), std::string_view(tooLong),
                     std::string_view("lo/")}) {
                 const auto answer = interfaceFacts(name);
                 const auto* fault = std::get_if<SystemFault>(&answer);
                 check.that(fault != nullptr && fault->error == ENODEV, "ENODEV");
               }
             });
}

std::optional<int> stepOf(const CaptureProbe& probe, CaptureStep step) {
  return probe[static_cast<std::size_t>(step)];
}

void probing(Suite& suite) {
  suite.test("probe: without a socket nothing else is tried", [](Check& check) {
    const CaptureProbe probe = probeCapture("lo");
    check.equal(stepOf(probe, CaptureStep::kInterface).value_or(-1), 0, "interface");
    const bool socket = stepOf(probe, CaptureStep::kSocket) == 0;
    for (const CaptureStep step : {CaptureStep::kVersion, CaptureStep::kFilter}) {
      check.equal(stepOf(probe, step).has_value(), socket, "tried");
    }
  });
  suite.test("probe: leaves no descriptor behind", [](Check& check) {
    const int before = openZero().get();
    for (int i = 0; i < 3; ++i) probeCapture("lo");
    check.equal(openZero().get(), before, "the next descriptor");
  });
  suite.test("probe: an unknown interface cannot be bound to", [](Check& check) {
    const CaptureProbe probe = probeCapture("no-such");
    check.equal(stepOf(probe, CaptureStep::kInterface).value_or(0), ENODEV, "interface");
    check.that(!stepOf(probe, CaptureStep::kBind), "bind is not tried");
  });
}

}  // namespace

void interfaceTests(Suite& suite) {
  owners(suite);
  facts(suite);
  probing(suite);
}

}  // namespace sluice::test
