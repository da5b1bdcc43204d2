// Numbers with units, for people.
#pragma once

#include <string>

namespace tool {

/// "310 us", "1.2 s", "2 min".
std::string seconds_text(double seconds);
/// "1.5 KiB", "3.2 GiB".
std::string bytes_text(double bytes);
/// "850 sample/s", "1.2 Gsample/s".
std::string rate_text(double samples_per_second);

}  // namespace tool
