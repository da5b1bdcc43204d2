#include "progress.hpp"

#include "units.hpp"

#include <unistd.h>

#include <cstdio>

namespace tool {
namespace {

constexpr std::chrono::milliseconds kPatience{1000}, kInterval{100};

}  // namespace

Progress::Progress(std::int64_t rows)
    : rows_(rows), terminal_(isatty(STDERR_FILENO) == 1), start_(Clock::now()), next_(start_ + kPatience) {}

Progress::~Progress() {
  if (shown_) std::fputs("\r\033[K", stderr);
}

void Progress::update(std::int64_t rows_done) {
  if (!terminal_) return;
  const auto now = Clock::now();
  if (now < next_ || rows_done == rows_) return;
  next_ = now + kInterval;
  shown_ = true;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double done = static_cast<double>(rows_done) / static_cast<double>(rows_);
  std::fprintf(stderr, "\r\033[K%3.0f%%  %lld of %lld rows, %s left", 100 * done, static_cast<long long>(rows_done),
               static_cast<long long>(rows_), seconds_text(elapsed * (1 - done) / done).c_str());
  std::fflush(stderr);
}

}  // namespace tool
