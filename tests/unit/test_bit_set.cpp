// Sums of sets of integers, 64 at a time, against the definition.
#include "../../src/core/bit_set.hpp"
#include "support/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace gpuconv::test {
namespace {

using detail::BitSet;

struct Members {
  std::vector<bool> holds;
  std::vector<detail::Word> words;
  BitSet set;

  Members(std::int64_t size, std::int64_t one_in, Rng& rng)
      : holds(static_cast<std::size_t>(size)), words(static_cast<std::size_t>(detail::bit_set_words(size)), ~0ull) {
    for (std::size_t i = 0; i < holds.size(); ++i) holds[i] = pick(rng, 1, one_in) == 1;
    set = BitSet::of(words.data(), size, [this](std::int64_t i) { return holds[static_cast<std::size_t>(i)]; });
  }
};

TEST(BitSet, HasItsMembersAtEveryPlaceAndNoneBeyond) {
  Rng rng = test_rng();
  for (std::int64_t const size : {1, 2, 63, 64, 65, 127, 128, 129, 500}) {
    const Members m(size, 2, rng);
    for (std::int64_t begin = -64; begin < size; ++begin)
      for (std::int64_t b = 0; b < 64; ++b) {
        const std::int64_t i = begin + b;
        const bool want = i >= 0 && i < size && m.holds[static_cast<std::size_t>(i)];
        ASSERT_EQ((m.set.from(begin) >> b & 1) != 0, want) << size << ": " << i << " from " << begin;
      }
  }
}

TEST(BitSet, SumsAreThoseOfTheMembers) {
  Rng rng = test_rng();
  for (int round = 0; round < 300; ++round) {
    const Members a(pick_size(rng, 1, 300), pick_size(rng, 1, 300), rng);
    const Members b(pick_size(rng, 1, 300), pick_size(rng, 1, 300), rng);
    std::set<std::int64_t> want;
    for (std::int64_t i = 0; i < a.set.size(); ++i)
      for (std::int64_t j = 0; j < b.set.size(); ++j)
        if (a.holds[static_cast<std::size_t>(i)] && b.holds[static_cast<std::size_t>(j)]) want.insert(i + j);
    for (std::int64_t first = 0; first < a.set.size() + b.set.size(); first += pick(rng, 1, 64)) {
      const std::uint64_t wanted = round % 2 ? ~0ull : rng(), found = sums(a.set, b.set, first, wanted);
      for (std::int64_t o = 0; o < 64; ++o)
        ASSERT_EQ((found >> o & 1) != 0, (wanted >> o & 1) != 0 && want.contains(first + o));
    }
  }
}

// Sparse sets of many words, whose empty ones are skipped.
TEST(BitSet, SumsOfFewMembersFarApart) {
  Rng rng = test_rng();
  for (int round = 0; round < 20; ++round) {
    const Members a(pick_size(rng, 300'000, 600'000), 50'000, rng), b(pick_size(rng, 1, 400'000), 20'000, rng);
    std::vector<std::int64_t> in_a, in_b;
    for (std::int64_t i = 0; i < a.set.size(); ++i)
      if (a.holds[static_cast<std::size_t>(i)]) in_a.push_back(i);
    for (std::int64_t j = 0; j < b.set.size(); ++j)
      if (b.holds[static_cast<std::size_t>(j)]) in_b.push_back(j);
    std::set<std::int64_t> want;
    for (std::int64_t const i : in_a)
      for (std::int64_t const j : in_b) want.insert(i + j);
    for (std::int64_t const sum : want) {
      const std::int64_t first = std::max<std::int64_t>(0, sum - pick(rng, 0, 63));
      const std::uint64_t found = sums(a.set, b.set, first, ~0ull);
      for (std::int64_t o = 0; o < 64; ++o) ASSERT_EQ((found >> o & 1) != 0, want.contains(first + o));
    }
  }
}

TEST(BitSet, ReachedAreThoseNotFarAboveAMember) {
  Rng rng = test_rng();
  for (int round = 0; round < 300; ++round) {
    const bool large = round % 50 == 0;
    const Members a(large ? pick_size(rng, 100'000, 400'000) : pick_size(rng, 1, 500),
                    large ? 90'000 : pick_size(rng, 1, 200), rng);
    const std::int64_t reach = large ? pick_size(rng, 1, 300'000) : pick_size(rng, 1, 300);
    const std::int64_t step = large ? 4801 : 1;
    for (std::int64_t first = 0; first < a.set.size() + reach; first += pick(rng, 1, 64) * step) {
      const std::uint64_t found = reached(a.set, first, reach);
      for (std::int64_t o = 0; o < 64; o += large ? 9 : 1) {
        const std::int64_t end = std::min(a.set.size(), first + o + 1),
                           begin = std::max<std::int64_t>(0, first + o - reach + 1);
        bool want = false;
        for (std::int64_t i = begin; i < end && !want; ++i) want = a.holds[static_cast<std::size_t>(i)];
        ASSERT_EQ((found >> o & 1) != 0, want) << first + o << ", " << reach;
      }
    }
  }
}

TEST(BitSet, NothingIsASumWithAnEmptySet) {
  detail::Word words[5];
  const BitSet all = BitSet::of(words, 10, [](std::int64_t) { return true; });
  EXPECT_EQ(sums(all, BitSet(), 0, ~0ull), 0u);
  EXPECT_EQ(sums(BitSet(), all, 0, ~0ull), 0u);
}

}  // namespace
}  // namespace gpuconv::test
