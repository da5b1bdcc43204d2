// JSON by hand, so that a record needs nothing but the library.
#include "record_file.hpp"

#include <stdexcept>
#include <utility>

namespace gpuconv::revisions {

std::string quoted(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (code < 0x20) out += "\\u00", out += digits[code / 16], out += digits[code % 16];
    else out += c;
  }
  return out + '"';
}

std::string list(std::vector<std::string> const& parts) {
  std::string out = "[";
  for (std::string const& part : parts) out += (out.size() > 1 ? "," : "") + part;
  return out + ']';
}

RecordFile::RecordFile(std::string const& path)
    : path_(path), index_(path + ".jsonl"), outputs_(path + ".bin", std::ios::binary) {
  if (!index_ || !outputs_) throw std::runtime_error("cannot write " + path + ".jsonl and " + path + ".bin");
}

void RecordFile::line(std::string const& json) { index_ << json << '\n'; }

std::int64_t RecordFile::keep(std::vector<std::byte> bytes) {
  for (Kept const& k : kept_)
    if (k.bytes == bytes) return k.at;
  outputs_.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  kept_.push_back({size_, std::move(bytes)});
  size_ += std::ssize(kept_.back().bytes);
  return kept_.back().at;
}

void RecordFile::finish() {
  index_.flush(), outputs_.flush();
  if (!index_ || !outputs_) throw std::runtime_error("writing " + path_ + " failed");
}

}  // namespace gpuconv::revisions
