// An object with the bug that no_locks.sh looks for: a static variable whose initialisation a fork can interrupt.
#include <cstdlib>

namespace gpuconv::detail::planted {

long processors();
long processors() {
  static const long count = std::strtol(std::getenv("PROCESSORS"), nullptr, 10);
  return count;
}

}  // namespace gpuconv::detail::planted
