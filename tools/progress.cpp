#include "progress.hpp"

#include "units.hpp"

#include <unistd.h>

#include <cstdio>

namespace tool {
namespace {

constexpr std::chrono::milliseconds kPatience{1000}, kInterval{100};

}  // namespace

Progress::Progress(std::int64_t total, const char* unit)
    : total_(total),
      unit_(unit),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      next_(start_ + kPatience) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::update(std::int64_t done) {
  if (!terminal_) return;
  const auto now = Clock::now();
  if (now < next_ || done == total_) return;
  next_ = now + kInterval;
  shown_ = true;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double part = static_cast<double>(done) / static_cast<double>(total_);
  std::fprintf(stderr, "\r\033[K%3.0f%%  %lld of %lld %s, %s left", 100 * part, static_cast<long long>(done),
               static_cast<long long>(total_), unit_, seconds_text(elapsed * (1 - part) / part).c_str());
  std::fflush(stderr);
}

}  // namespace tool
