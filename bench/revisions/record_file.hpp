// A record on disk: FILE.jsonl, a header and a line of JSON for each problem, and FILE.bin, the outputs that they name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace gpuconv::revisions {

/// `text` as a string of JSON, quotes included.
std::string quoted(std::string_view text);
/// `parts` as a list of JSON; each is JSON itself.
std::string list(std::vector<std::string> const& parts);

class RecordFile {
 public:
  /// Throws std::runtime_error where a file cannot be written, as `finish` does.
  explicit RecordFile(std::string const& path);

  void line(std::string const& json);
  /// Where in FILE.bin the bytes are, which are written once for each problem.
  std::int64_t keep(std::vector<std::byte> bytes);
  void next_problem() { kept_.clear(); }
  std::int64_t size() const { return size_; }
  void finish();

 private:
  struct Kept {
    std::int64_t at;
    std::vector<std::byte> bytes;
  };
  std::string path_;
  std::ofstream index_, outputs_;
  std::int64_t size_ = 0;
  std::vector<Kept> kept_;  // of this problem
};

}  // namespace gpuconv::revisions
