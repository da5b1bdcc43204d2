// Limits of control groups, read from trees of files as systems and containers have them.
#include "cgroup.hpp"
#include "cpu/cost.hpp"

#include <gpuconv/gpuconv.hpp>

#include <gtest/gtest.h>

#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace gpuconv::test {
namespace {

using detail::cpu_limit;
using detail::memory_limit;

class Cgroups : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "gpuconv_cgroup_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    root_ = name;
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }
  void write(std::string const& path, std::string const& text) const {
    const std::filesystem::path file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void groups(std::string const& text) const { write("proc/self/cgroup", text); }
  void expect(std::int64_t memory, int cpus) const {
    EXPECT_EQ(memory_limit(root_.c_str()), memory);
    EXPECT_EQ(cpu_limit(root_.c_str()), cpus);
  }

  std::filesystem::path root_;
};

TEST_F(Cgroups, NoFilesAreNoLimit) {
  expect(INT64_MAX, INT_MAX);
  groups("0::/app\n");
  expect(INT64_MAX, INT_MAX);
}

TEST_F(Cgroups, Version2) {
  groups("0::/app\n");
  write("sys/fs/cgroup/app/memory.max", "1000000\n");
  write("sys/fs/cgroup/app/cpu.max", "250000 100000\n");
  expect(1000000, 3);
  write("sys/fs/cgroup/app/cpu.max", "200000 100000\n");
  expect(1000000, 2);
  write("sys/fs/cgroup/app/cpu.max", "1000 100000\n");
  expect(1000000, 1);
}

TEST_F(Cgroups, Version2OfANamespaceHasItsLimitsAtTheTop) {
  groups("0::/\n");
  write("sys/fs/cgroup/memory.max", "4096\n");
  write("sys/fs/cgroup/cpu.max", "150000 100000\n");
  expect(4096, 2);
}

TEST_F(Cgroups, Version2BesideVersion1) {
  groups("1:name=systemd:/\n0::/app\n");
  write("sys/fs/cgroup/unified/app/memory.max", "5000\n");
  expect(5000, INT_MAX);
}

TEST_F(Cgroups, TheLeastLimitAlongTheHierarchyCounts) {
  groups("0::/slice/service/app\n");
  write("sys/fs/cgroup/slice/service/app/memory.max", "max\n");
  write("sys/fs/cgroup/slice/service/app/cpu.max", "800000 100000\n");
  write("sys/fs/cgroup/slice/service/memory.max", "9000\n");
  write("sys/fs/cgroup/slice/service/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/slice/memory.max", "8000\n");
  write("sys/fs/cgroup/slice/cpu.max", "400000 100000\n");
  write("sys/fs/cgroup/other/memory.max", "1\n");
  expect(8000, 4);
}

TEST_F(Cgroups, Version1) {
  groups("5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n3:cpuset:/\n");
  write("sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "7000\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us", "50000\n");
  write("sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us", "20000\n");
  expect(7000, 3);
}

TEST_F(Cgroups, Version1WithoutALimit) {
  groups("5:memory:/\n4:cpu:/\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  expect(9223372036854771712, INT_MAX);
}

// A container with the host's path in /proc, and its own group mounted as the top.
TEST_F(Cgroups, PathsFromOutsideTheContainerLeadToItsTop) {
  groups("5:memory:/docker/abc\n4:cpu:/docker/abc\n0::/../outside\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "6000\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100001\n");
  write("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  write("sys/fs/outside/memory.max", "1\n");
  expect(6000, 2);
}

TEST_F(Cgroups, WhatMakesNoSenseIsNoLimit) {
  for (const char* const text :
       {"", "\n", "max\n", "garbage", "12x\n", "-5\n", "0\n", "99999999999999999999\n", " 1"}) {
    groups("0::/app\n");
    write("sys/fs/cgroup/app/memory.max", text);
    write("sys/fs/cgroup/app/cpu.max", text);
    expect(INT64_MAX, INT_MAX);
  }
  for (const char* const text : {"100000", "100000 0", "100000 x", "x 100000", "100000 -1", "100000 100000 1"}) {
    write("sys/fs/cgroup/app/cpu.max", text);
    expect(INT64_MAX, INT_MAX);
  }
  write("sys/fs/cgroup/app/cpu.max", "9223372036854775807 1");
  expect(INT64_MAX, INT_MAX);
}

TEST_F(Cgroups, LinesThatMakeNoSenseArePassedOver) {
  for (const char* const text : {"", ":", "::", "0:", "0::", "\n\n", "no colons", "5:memory", ":::::", "0::relative"}) {
    groups(text);
    expect(INT64_MAX, INT_MAX);
  }
  write("sys/fs/cgroup/app/memory.max", "3000\n");
  groups("\n:\nno colons\n" + std::string("0::/app"));
  expect(3000, INT_MAX);
  groups("0::/" + std::string(12000, 'a') + "\n");
  expect(INT64_MAX, INT_MAX);
}

TEST(MachineLimits, AreThoseOfTheControlGroupsToo) {
  EXPECT_LE(machine_memory(), memory_limit());
  EXPECT_LE(hardware_threads(), cpu_limit());
  EXPECT_GE(hardware_threads(), 1);
}

TEST(MachineLimits, OnlyWorkWorthThreadsAsksHowManyThereAre) {
  EXPECT_EQ(detail::useful_threads(1e-6, 100, 0), 1);
  EXPECT_EQ(detail::useful_threads(1, 1, 0), 1);
  EXPECT_EQ(detail::useful_threads(1, 1 << 20, 0), hardware_threads());
  EXPECT_EQ(detail::useful_threads(1, 1 << 20, 3), 3);
}

}  // namespace
}  // namespace gpuconv::test
