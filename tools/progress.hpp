// How far a long batch has come, for whoever watches a terminal.
#pragma once

#include <chrono>
#include <cstdint>

namespace tool {

/// One line on standard error, rewritten in place and removed at the end. Appears only on a terminal, and only once the
/// work has taken a second.
class Progress {
 public:
  /// `unit`: what is counted, "rows".
  Progress(std::int64_t total, const char* unit);
  Progress(Progress const&) = delete;
  Progress& operator=(Progress const&) = delete;
  ~Progress();
  void update(std::int64_t done);

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t total_;
  const char* unit_;
  bool terminal_, shown_ = false;
  Clock::time_point start_, next_;
};

}  // namespace tool
