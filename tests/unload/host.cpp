// usage: host KEPT UNLOADED [threads-end]
// Loads two plugins that each hold the library and keeps the first; loads the second one, lets it convolve and unloads
// it, again and again. What has been unloaded must have left nothing that would still run its code: no thread, and
// nothing that a fork or the end of the program calls. threads-end: the library leaves with the plugin.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>

namespace {

void* load(const char* path) {
  void* const plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!plugin) std::printf("dlopen: %s\n", dlerror()), std::exit(1);
  return plugin;
}

void expect(bool holds, const char* what, int round) {
  if (!holds) std::printf("round %d: %s\n", round, what), std::exit(1);
}

bool convolves(void* plugin) {
  auto* const convolve = reinterpret_cast<int (*)()>(dlsym(plugin, "plugin_convolves"));
  return convolve && convolve() == 1;
}

bool child_exits() {
  const pid_t child = fork();
  if (child == 0) std::exit(0);
  int status = 1;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

long threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

}  // namespace

int main(int, char** argv) {
  alarm(60);
  void* const kept = load(argv[1]);
  for (int round = 0; round < 30; ++round) {
    const long before = threads();
    void* const plugin = load(argv[2]);
    expect(convolves(plugin), "the plugin does not convolve", round);
    // A host may fork while both are there, and the child is to be able to do as the parent does.
    expect(child_exits(), "a child does not exit", round);
    expect(dlclose(plugin) == 0, "dlclose fails", round);
    expect(dlopen(argv[2], RTLD_NOW | RTLD_NOLOAD) == nullptr, "the plugin is still there", round);
    if (argv[3]) expect(threads() == before, "its threads are still there", round);
    expect(child_exits(), "a child does not exit after the plugin was unloaded", round);
    if (round % 10 == 0) expect(convolves(kept), "the plugin that was kept does not convolve", round);
  }
  expect(convolves(load(argv[2])), "the plugin does not convolve at the end", -1);
  return 0;  // with both loaded
}
