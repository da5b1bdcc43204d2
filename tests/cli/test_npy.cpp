// The .npy reader and writer, where Python cannot look: headers one by one, errors by type, and outputs that appear
// only when they are complete.
#include "elements.hpp"
#include "npy.hpp"

#include <gpuconv/error.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <tuple>

namespace {

namespace fs = std::filesystem;
using gpuconv::Type;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

class Npy : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "gpuconv-test-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(std::string const& name) const { return (folder_ / name).string(); }
  std::string save(std::string const& bytes) const {
    std::ofstream(path("in.npy"), std::ios::binary) << bytes;
    return path("in.npy");
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

std::string with_preamble(std::string const& dictionary, int version = 1) {
  std::string out = "\x93NUMPY";
  out += static_cast<char>(version);
  out += '\0';
  for (std::size_t i = 0; i < (version == 1 ? 2u : 4u); ++i)
    out += static_cast<char>(dictionary.size() >> (8 * i) & 0xff);
  return out + dictionary;
}

npy::Header parse(std::string const& dictionary, int version = 1) {
  return npy::parse_header(dictionary, version, "x.npy");
}

TEST(NpyHeader, TakesEveryTypeInEitherByteOrder) {
  for (int i = 0; i < gpuconv::type_count; ++i) {
    const auto type = static_cast<Type>(i);
    if (type == Type::bfloat16) continue;  // not one of NumPy's
    const std::string kind = is_complex(type) ? "c" : is_floating(type) ? "f" : is_signed(type) ? "i" : "u";
    for (const char* order : {"<", ">", "|", "=", ""}) {
      const std::string code = order + kind + std::to_string(size_of(type));
      const npy::Header h = parse("{'descr': '" + code + "', 'fortran_order': False, 'shape': (3,), }");
      EXPECT_EQ(h.type, type) << code;
      const char foreign = std::endian::native == std::endian::little ? '>' : '<';
      EXPECT_EQ(h.swapped, order[0] == foreign && size_of(type) > 1) << code;
    }
  }
}

TEST(NpyHeader, KnowsTypesByTheNamesThatNumPyHasForThem) {
  for (int i = 0; i < gpuconv::type_count; ++i) {
    const auto type = static_cast<Type>(i);
    if (type == Type::bfloat16) continue;
    EXPECT_EQ(parse("{'descr': '" + std::string(name(type)) + "', 'fortran_order': False, 'shape': ()}").type, type);
  }
  const bool little = std::endian::native == std::endian::little;
  const std::tuple<const char*, Type, bool> names[] = {
      {"b", Type::int8, false},         {">h", Type::int16, little},          {"<i", Type::int32, !little},
      {"q", Type::int64, false},        {"|B", Type::uint8, false},           {"=H", Type::uint16, false},
      {">I", Type::uint32, little},     {"Q", Type::uint64, false},           {"f", Type::float32, false},
      {">d", Type::float64, little},    {"byte", Type::int8, false},          {"ushort", Type::uint16, false},
      {"intc", Type::int32, false},     {"longlong", Type::int64, false},     {"single", Type::float32, false},
      {"double", Type::float64, false}, {"half", Type::float16, false},       {">e", Type::float16, little},
      {"<F", Type::complex64, !little}, {"complex", Type::complex128, false},
  };
  for (const auto& [name, type, swapped] : names) {
    const npy::Header h = parse(std::string("{'descr': '") + name + "', 'fortran_order': False, 'shape': (3,)}");
    EXPECT_EQ(h.type, type) << name;
    EXPECT_EQ(h.swapped, swapped) << name;
  }
  constexpr Type kLong = sizeof(long) == 8 ? Type::int64 : Type::int32;
  for (const char* name : {"l", "long", "int", "int_"})
    EXPECT_EQ(parse(std::string("{'descr': '") + name + "', 'fortran_order': False, 'shape': (3,)}").type, kLong);
}

TEST(NpyHeader, TakesBoolAsBytes) {
  for (const char* name : {"|b1", "?", "<b1", ">?", "bool", "bool_"}) {
    const npy::Header h = parse(std::string("{'descr': '") + name + "', 'fortran_order': False, 'shape': (3,)}");
    EXPECT_EQ(h.type, Type::uint8) << name;
    EXPECT_TRUE(h.logical && !h.swapped) << name;
  }
  EXPECT_FALSE(parse("{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}").logical);
}

TEST(NpyHeader, IsRobustToOrderSpaceAndQuotes) {
  for (const char* text : {
           "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 4), }",
           "{'shape':(3,4),'fortran_order':True,'descr':'<f4'}",
           "  {\n\t\"shape\" : ( 3 , 4 , ) , \"descr\" : \"<f4\" ,\r\n \"fortran_order\" : True }  \n",
           "{'shape': (3L, 4L), 'descr': '<f4', 'fortran_order': True}",
           "{u'shape': (3L, 4L), u'descr': u'<f4', u'fortran_order': True}",
       }) {
    const npy::Header h = parse(text);
    EXPECT_EQ(h.type, Type::float32) << text;
    EXPECT_TRUE(h.fortran_order) << text;
    EXPECT_THAT(h.shape, ElementsAre(3, 4)) << text;
  }
}

TEST(NpyHeader, ReadsShapesOfAnyRank) {
  const auto shape = [](std::string const& s) {
    return parse("{'descr':'|u1','fortran_order':False,'shape':" + s + "}").shape;
  };
  EXPECT_THAT(shape("()"), ElementsAre());
  EXPECT_THAT(shape("(7,)"), ElementsAre(7));
  EXPECT_THAT(shape("(1, 2, 3)"), ElementsAre(1, 2, 3));
  EXPECT_THAT(shape("(0, 9223372036854775807)"), ElementsAre(0, INT64_MAX));
}

TEST(NpyHeader, RefusesWhatIsMalformed) {
  const std::string good = "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }";
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_THROW(parse(good.substr(0, length)), npy::Malformed) << good.substr(0, length);
  const std::string rest = "'descr': '<f8', 'fortran_order': False";
  for (std::string const& text : {
           good + "x",
           good + good,
           "[" + good + "]",
           std::string("42"),
           std::string("{}"),
           "{" + rest + "}",
           std::string("{'descr': '<f8', 'shape': (3,)}"),
           std::string("{'fortran_order': False, 'shape': (3,)}"),
           "{" + rest + ", 'shape': (3)}",
           "{" + rest + ", 'shape': 3}",
           "{" + rest + ", 'shape': [3]}",
           "{" + rest + ", 'shape': (-3,)}",
           "{" + rest + ", 'shape': (3.0,)}",
           "{" + rest + ", 'shape': (3 4)}",
           "{" + rest + ", 'shape': (,)}",
           "{" + rest + ", 'shape': (3,,)}",
           "{" + rest + ", 'shape': (True,)}",
           "{" + rest + ", 'shape': (9223372036854775808,)}",
           "{" + rest + ", 'shape': (2147483648, 2147483648)}",
           "{" + rest + ", 'shape': (0, 4611686018427387904, 4)}",
           "{" + rest + ", 'shape': (3,), 'shape': (4,)}",
           "{" + rest + ", 'shape': (3,), 'x': 1}",
           "{" + rest + ", 'shape': (3,), 'x': }",
           "{" + rest + ", 'shape': (3,), x: 1}",
           "{" + rest + ", 'shape': (3,), 'x': " + std::string(1000, '(') + "}",
           std::string("{'descr': '<f8', 'fortran_order': 0, 'shape': (3,)}"),
           std::string("{'descr': 8, 'fortran_order': False, 'shape': (3,)}"),
           std::string("{'descr': '<f8\\"),
       })
    EXPECT_THROW(parse(text), npy::Malformed) << text;
}

TEST(NpyHeader, TakesLongIntegersOfPython2InVersionsThatPython2Wrote) {
  const std::string text = "{'descr': '<f8', 'fortran_order': False, 'shape': (5L,), }";
  for (const int version : {1, 2}) EXPECT_THAT(parse(text, version).shape, ElementsAre(5));
  EXPECT_THROW(parse(text, 3), npy::Malformed);
}

TEST(NpyHeader, NamesElementTypesThatItRefuses) {
  const std::pair<const char*, const char*> types[] = {
      {"'<c32'", "complex of this size"},
      {"'bfloat16'", "unknown"},
      {"'<f16'", "floating point"},
      {"'|S5'", "byte strings"},
      {"'<U3'", "Unicode strings"},
      {"'|O'", "Python objects"},
      {"'<M8[ns]'", "dates"},
      {"'<m8[s]'", "time differences"},
      {"'|V4'", "raw bytes"},
      {"[('a', '<f4'), ('b', '<i4')]", "structure"},
      {"('<f8', (3,))", "subarray"},
      {"'<i3'", "unknown"},
      {"''", "unknown"},
      {"'<'", "unknown"},
      {"'<f80'", "floating point"},
      {"'\x1b[31m'", "'?[31m'"},
  };
  for (const auto& [descr, cause] : types) {
    const std::string text = std::string("{'descr': ") + descr + ", 'fortran_order': False, 'shape': (3,), }";
    EXPECT_THAT([&] { parse(text); },
                (ThrowsMessage<npy::Unsupported>(AllOf(StartsWith("x.npy: "), HasSubstr(cause)))));
  }
}

TEST_F(Npy, ReadsEveryVersion) {
  for (const int version : {1, 2, 3}) {
    const std::string data("\x01\x02\x03", 3);
    const npy::Array a =
        npy::read(save(with_preamble("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", version) + data));
    EXPECT_THAT(a.values<std::uint8_t>(), ElementsAre(1, 2, 3));
  }
}

TEST_F(Npy, RefusesPreamblesThatAreWrong) {
  const std::string dictionary = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }";
  for (std::string const& bytes :
       {std::string(), std::string("\x93NUM"), std::string("PK\x03\x04 a zip file, an .npz"), std::string("\x93NUMPY"),
        with_preamble(dictionary, 4), with_preamble(dictionary, 0),
        std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14), with_preamble(dictionary).substr(0, 20)})
    EXPECT_THROW(npy::read(save(bytes)), npy::Malformed) << bytes;
}

TEST_F(Npy, RefusesMoreDimensionsThanNumPyHas) {
  for (const int rank : {64, 65, 1000}) {
    std::string shape;
    for (int i = 0; i < rank; ++i) shape += "1,";
    save(with_preamble("{'descr': '|u1', 'fortran_order': False, 'shape': (" + shape + ")}") + "x");
    if (rank > 64) {
      EXPECT_THROW(npy::read(path("in.npy")), npy::Unsupported);
    } else {
      EXPECT_NO_THROW(npy::read(path("in.npy")));
    }
  }
}

// Rows are those along the last dimension, in C order whatever the file's is.
TEST_F(Npy, ReadsRowsOfThreeDimensions) {
  const auto read = [&](bool fortran) {
    save(with_preamble(std::string("{'descr': '|u1', 'fortran_order': ") + (fortran ? "True" : "False") +
                       ", 'shape': (2, 3, 2)}") +
         "abcdefghijkl");
    const npy::Array a = npy::read(path("in.npy"));
    EXPECT_EQ(a.rows(), 6);
    return std::string(reinterpret_cast<const char*>(a.data()), a.bytes());
  };
  EXPECT_EQ(read(false), "abcdefghijkl");
  EXPECT_EQ(read(true), "agciekbhdjfl");
}

TEST_F(Npy, ReadsAnArrayWithoutDimensionsAsOneSample) {
  const npy::Array a = npy::read(save(with_preamble("{'descr': '|u1', 'fortran_order': False, 'shape': (), }") + "x"));
  EXPECT_THAT(a.shape(), ElementsAre());
  EXPECT_EQ(a.rows(), 1);
  EXPECT_THAT(a.values<std::uint8_t>(), ElementsAre('x'));
}

TEST_F(Npy, RefusesFilesThatPromiseMoreThanTheyHoldBeforeAllocating) {
  for (const char* shape : {"(4,)", "(2, 2)", "(1, 1000000000000000000)", "(1000000000, 1000000000)"})
    EXPECT_THAT(
        [&] {
          npy::Reader(save(
              with_preamble(std::string("{'descr': '|u1', 'fortran_order': False, 'shape': ") + shape + "}") + "abc"));
        },
        ThrowsMessage<npy::Malformed>(HasSubstr("the file holds 3")));
}

TEST_F(Npy, IgnoresWhatFollowsTheArrayAsNumPyDoes) {
  const npy::Array a =
      npy::read(save(with_preamble("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }") + "abcd"));
  EXPECT_THAT(a.values<std::uint8_t>(), ElementsAre('a', 'b'));
}

TEST_F(Npy, ReadsRowsOfEitherOrderAFewAtATime) {
  constexpr std::int64_t kRows = 130, kColumns = 3;
  std::vector<std::uint8_t> c_order(kRows * kColumns), f_order(kRows * kColumns);
  for (std::int64_t r = 0; r < kRows; ++r)
    for (std::int64_t c = 0; c < kColumns; ++c)
      c_order[static_cast<std::size_t>(r * kColumns + c)] = f_order[static_cast<std::size_t>(c * kRows + r)] =
          static_cast<std::uint8_t>(r * kColumns + c);
  for (const bool fortran : {false, true}) {
    const auto& stored = fortran ? f_order : c_order;
    save(with_preamble(std::string("{'descr': '|u1', 'fortran_order': ") + (fortran ? "True" : "False") +
                       ", 'shape': (130, 3), }") +
         std::string(stored.begin(), stored.end()));
    npy::Reader reader(path("in.npy"));
    npy::Buffer rows;
    std::vector<std::uint8_t> got;
    for (const std::int64_t count : {1, 0, 64, 65}) {
      reader.read_rows(count, rows);
      ASSERT_EQ(rows.size(), static_cast<std::size_t>(count * kColumns));
      for (std::size_t i = 0; i < rows.size(); ++i) got.push_back(static_cast<std::uint8_t>(rows.data()[i]));
    }
    EXPECT_EQ(got, c_order);
    EXPECT_THROW(reader.read_rows(1, rows), gpuconv::InvalidArgument);
  }
}

TEST_F(Npy, GivesRangesOfElementsFromFilesAndFromWhatHasToBeRead) {
  std::string data;
  for (int i = 0; i < 1000; ++i) data += {static_cast<char>(i & 0xff), static_cast<char>(i >> 8)};
  for (const char* type : {"<i2", ">i2"}) {
    save(with_preamble(std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': (1000,)} ") + data);
    for (const bool any_order : {false, true}) {
      npy::Reader reader(path("in.npy"));
      npy::Elements elements(reader);
      if (any_order) elements.allow_any_order();
      const auto first_and_last = [&](std::int64_t first, std::int64_t count) {
        std::byte const* const range = elements.range(first, count);
        std::array<std::uint16_t, 2> ends{};
        std::memcpy(&ends[0], range, 2), std::memcpy(&ends[1], range + 2 * (count - 1), 2);
        for (std::uint16_t& e : ends)
          if (type[0] == '>') e = static_cast<std::uint16_t>(e << 8 | e >> 8);
        return ends;
      };
      EXPECT_THAT(first_and_last(0, 10), ElementsAre(0, 9));
      EXPECT_THAT(first_and_last(0, 20), ElementsAre(0, 19));
      EXPECT_THAT(first_and_last(15, 10), ElementsAre(15, 24));
      EXPECT_THAT(first_and_last(16, 2), ElementsAre(16, 17));
      EXPECT_THAT(first_and_last(500, 500), ElementsAre(500, 999)) << "behind a gap";
      if (!any_order) continue;
      EXPECT_THAT(first_and_last(3, 1), ElementsAre(3, 3));
    }
  }
}

// What is written can be read back, in this byte order and, the parts of each element turned round, in the other.
TEST_F(Npy, ReadsAndWritesEveryTypeOfNumPy) {
  for (int i = 0; i < gpuconv::type_count; ++i) {
    const auto type = static_cast<Type>(i);
    if (type == Type::bfloat16) {
      EXPECT_THROW(npy::descr_of(type), gpuconv::InvalidArgument);
      continue;
    }
    const std::size_t size = 2 * size_of(type), part = size_of(part_type(type));
    std::string data, turned;
    for (std::size_t b = 0; b < size; ++b) data += static_cast<char>('a' + b);
    for (std::size_t b = 0; b < size; ++b) turned += data[b / part * part + part - 1 - b % part];
    {
      npy::OutputFile file(path("out.npy"));
      npy::Writer(file, npy::descr_of(type), {2}).write({data.data(), type, {.columns = 2}});
      file.commit();
    }
    std::string foreign = npy::descr_of(type);
    foreign[0] = foreign[0] == '>' ? '<' : '>';
    save(with_preamble("{'descr': '" + foreign + "', 'fortran_order': False, 'shape': (2,)} ") +
         (part == 1 ? data : turned));
    for (const char* file : {"out.npy", "in.npy"}) {
      const npy::Array a = npy::read(path(file));
      EXPECT_EQ(a.type(), type) << file;
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(a.data()), a.bytes()), data) << name(type) << ' ' << file;
    }
  }
}

TEST_F(Npy, ReportsFilesThatCannotBeOpened) {
  EXPECT_THROW(npy::read(path("missing.npy")), npy::FileError);
  EXPECT_THROW(npy::read(folder_.string()), npy::FileError);
}

TEST_F(Npy, WritesWhatItReadsWhateverTheStride) {
  const std::vector<float> values{1, 2, 99, 3, 4, 99, 5, 6};
  npy::write(path("out.npy"), gpuconv::HostView(values.data(), {.rows = 3, .columns = 2, .stride = 3}));
  const npy::Array a = npy::read(path("out.npy"));
  EXPECT_THAT(a.shape(), ElementsAre(3, 2));
  EXPECT_THAT(a.values<float>(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(a.view().columns(), 2);
  EXPECT_THROW(a.values<double>(), gpuconv::InvalidArgument);
  npy::write(path("out.npy"), values);
  EXPECT_THAT(npy::read(path("out.npy")).shape(), ElementsAre(8));
}

TEST_F(Npy, AnUnfinishedOutputLeavesNothingBehindAndTheOlderFileUntouched) {
  npy::write(path("out.npy"), std::vector{1, 2, 3});
  {
    npy::OutputFile file(path("out.npy"));
    file.write("half", 4);
    EXPECT_EQ(files(), 2u);
  }
  { npy::OutputFile file(path("new.npy")); }
  EXPECT_EQ(files(), 1u);
  EXPECT_THAT(npy::read(path("out.npy")).values<int>(), ElementsAre(1, 2, 3));
}

TEST_F(Npy, OutputsFollowLinksAndKeepPermissions) {
  npy::write(path("real.npy"), std::vector{1});
  fs::permissions(path("real.npy"), fs::perms(0640));
  fs::create_symlink("real.npy", path("link.npy"));
  fs::create_symlink("new.npy", path("dangling.npy"));
  npy::write(path("link.npy"), std::vector{2});
  npy::write(path("dangling.npy"), std::vector{3});
  EXPECT_TRUE(fs::is_symlink(path("link.npy")));
  EXPECT_EQ(fs::status(path("real.npy")).permissions(), fs::perms(0640));
  EXPECT_THAT(npy::read(path("real.npy")).values<int>(), ElementsAre(2));
  EXPECT_THAT(npy::read(path("new.npy")).values<int>(), ElementsAre(3));
}

TEST_F(Npy, AnInputIsReplacedButNeverWrittenInPlace) {
  npy::write(path("x.npy"), std::vector{1, 2, 3});
  const auto id = [&] { return std::vector{*npy::Reader(path("x.npy")).id()}; };
  {
    npy::OutputFile file(path("x.npy"), id());
    npy::Writer(file, npy::descr_of(Type::int32), {1}).write(std::vector{4});
    file.commit();
  }
  EXPECT_THAT(npy::read(path("x.npy")).values<int>(), ElementsAre(4));
  const npy::Descriptor x(open(path("x.npy").c_str(), O_WRONLY));  // inherited, as far as anybody can tell
  const std::string name = "/dev/fd/" + std::to_string(x.get());
  EXPECT_THAT([&] { npy::OutputFile(name, id()); }, ThrowsMessage<npy::FileError>(HasSubstr("an input as well")));
  EXPECT_NO_THROW(npy::OutputFile{name});
  EXPECT_THAT(npy::read(path("x.npy")).values<int>(), ElementsAre(4));
}

TEST_F(Npy, ReportsOutputsThatCannotBeWritten) {
  for (std::string const& out : {path("no/such/folder.npy"), folder_.string(), path(std::string(300, 'x'))})
    EXPECT_THROW(npy::write(out, std::vector{1}), npy::FileError) << out;
  EXPECT_THAT([] { npy::write("/dev/full", std::vector{1}); },
              ThrowsMessage<npy::FileError>(HasSubstr("No space left")));
  EXPECT_EQ(files(), 0u);
}

TEST_F(Npy, BuffersKeepTheirBytesAsTheyGrow) {
  npy::Buffer buffer;
  buffer.resize(3);
  std::memcpy(buffer.data(), "abc", 3);
  buffer.resize(1 << 24);
  EXPECT_EQ(std::memcmp(buffer.data(), "abc", 3), 0);
  EXPECT_THROW(buffer.resize(std::size_t{1} << 62), gpuconv::OutOfMemory);
  EXPECT_EQ(buffer.size(), std::size_t{1} << 24);
}

}  // namespace
