// How far a long batch has come, for whoever watches a terminal.
#pragma once

#include <chrono>
#include <cstdint>

namespace tool {

/// One line on standard error, rewritten in place and removed at the end. Appears only on a terminal, and only once the
/// work has taken a second.
class Progress {
 public:
  explicit Progress(std::int64_t rows);
  Progress(Progress const&) = delete;
  Progress& operator=(Progress const&) = delete;
  ~Progress();
  void update(std::int64_t rows_done);

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t rows_;
  bool terminal_, shown_ = false;
  Clock::time_point start_, next_;
};

}  // namespace tool
