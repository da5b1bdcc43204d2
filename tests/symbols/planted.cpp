// An object with the bug that the check looks for: an inline function outside its namespace, kept as a symbol that the
// linker shares with the rest of the program.
#include <algorithm>

namespace gpuconv::detail::planted {

int larger(int a, int b) { return std::max(a, b); }

}  // namespace gpuconv::detail::planted
