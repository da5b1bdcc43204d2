#include "dtypes.hpp"

#include <array>
#include <string_view>

namespace gpuconv::python {
namespace {

// The row of the library's table that has this name, or -1.
constexpr int row_of(std::string_view name) {
#define GPUCONV_ROW(row, ...) \
  if (name == #row) return static_cast<int>(Type::row);
  GPUCONV_ELEMENTS(GPUCONV_ROW)
#undef GPUCONV_ROW
  return -1;
}

template <class T>
constexpr int row_of_integer() {
  return static_cast<int>(type_of<T>);
}

// Types that come with NumPy have numbers below this one.
constexpr int kBuiltin = NPY_HALF + 1;

constexpr std::array<int, kBuiltin> rows_of_builtins() {
  std::array<int, kBuiltin> rows{};
  rows.fill(-1);
  rows[NPY_BOOL] = row_of("uint8");
  rows[NPY_BYTE] = row_of_integer<signed char>();
  rows[NPY_UBYTE] = row_of_integer<unsigned char>();
  rows[NPY_SHORT] = row_of_integer<short>();
  rows[NPY_USHORT] = row_of_integer<unsigned short>();
  rows[NPY_INT] = row_of_integer<int>();
  rows[NPY_UINT] = row_of_integer<unsigned>();
  rows[NPY_LONG] = row_of_integer<long>();
  rows[NPY_ULONG] = row_of_integer<unsigned long>();
  rows[NPY_LONGLONG] = row_of_integer<long long>();
  rows[NPY_ULONGLONG] = row_of_integer<unsigned long long>();
  rows[NPY_HALF] = row_of("float16");
  rows[NPY_FLOAT] = row_of("float32");
  rows[NPY_DOUBLE] = row_of("float64");
  rows[NPY_CFLOAT] = row_of("complex64");
  rows[NPY_CDOUBLE] = row_of("complex128");
  return rows;
}
constexpr std::array<int, kBuiltin> kRows = rows_of_builtins();

// The number that ml_dtypes' bfloat16 has in this process, once one was seen; 0 before that. The interpreter's lock
// guards it.
int bfloat16_number = 0;

bool is_bfloat16(int number) {
  if (row_of("bfloat16") < 0) return false;
  if (bfloat16_number) return number == bfloat16_number;
  const nb::object name = dtype_name(number);
  if (PyUnicode_CompareWithASCIIString(name.ptr(), "bfloat16") != 0) return false;
  bfloat16_number = number;
  return true;
}

int find_bfloat16() {
  const nb::object type = checked(PyImport_ImportModule("ml_dtypes")).attr("bfloat16");
  return bfloat16_number = number_of_dtype(type.ptr());
}

// What NumPy promotes pairs of its own types to; 0 where it was not asked yet (no pair of two others is a bool).
std::array<std::array<signed char, kBuiltin>, kBuiltin> promotions{};

int ask_for_promotion(int a, int b) {
  const nb::object first = checked(reinterpret_cast<PyObject*>(descriptor(a)));
  const nb::object second = checked(reinterpret_cast<PyObject*>(descriptor(b)));
  PyArray_Descr* const both = PyArray_PromoteTypes(reinterpret_cast<PyArray_Descr*>(first.ptr()),
                                                   reinterpret_cast<PyArray_Descr*>(second.ptr()));
  const nb::object owner = checked(reinterpret_cast<PyObject*>(both));
  return both->type_num;
}

}  // namespace

std::optional<Type> type_of_number(int number) {
  if (number >= 0 && number < kBuiltin) {
    const int row = kRows[static_cast<std::size_t>(number)];
    return row < 0 ? std::nullopt : std::optional(static_cast<Type>(row));
  }
  return number >= NPY_USERDEF && is_bfloat16(number) ? std::optional(static_cast<Type>(row_of("bfloat16")))
                                                      : std::nullopt;
}

bool is_same_type(int a, int b) {
  const std::optional<Type> type = type_of_number(a);
  return type && type == type_of_number(b) && (a == NPY_BOOL) == (b == NPY_BOOL);
}

int promoted(int a, int b) {
  if (a == b) return a;
  if (a >= kBuiltin || b >= kBuiltin) return ask_for_promotion(a, b);
  signed char& known = promotions[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)];
  if (!known) known = static_cast<signed char>(ask_for_promotion(a, b));
  return known;
}

int number_of(Type type) {
  const int row = static_cast<int>(type);
  if (row == row_of("bfloat16")) return find_bfloat16();
  // NumPy has two numbers for integers of 64 bits; the first one is that of its int64.
  for (int number = NPY_BYTE; number < kBuiltin; ++number)
    if (kRows[static_cast<std::size_t>(number)] == row) return number;
  raise(PyExc_NotImplementedError, "NumPy has no type %s", name(type).data());
}

PyArray_Descr* descriptor(int number) {
  PyArray_Descr* const found = PyArray_DescrFromType(number);
  if (!found) nb::raise_python_error();
  return found;
}

int number_of_dtype(PyObject* dtype) {
  PyArray_Descr* found = nullptr;
  if (!PyArray_DescrConverter(dtype, &found)) nb::raise_python_error();
  const nb::object owner = nb::steal(reinterpret_cast<PyObject*>(found));
  return found->type_num;
}

int number_of_native_dtype(PyObject* dtype) {
  PyArray_Descr* found = nullptr;
  if (!PyArray_DescrConverter(dtype, &found)) nb::raise_python_error();
  const nb::object owner = nb::steal(reinterpret_cast<PyObject*>(found));
  if (!PyArray_ISNBO(found->byteorder)) raise(PyExc_NotImplementedError, "%R is of another byte order", dtype);
  return found->type_num;
}

nb::object dtype_name(int number) {
  return checked(PyObject_GetAttrString(checked(reinterpret_cast<PyObject*>(descriptor(number))).ptr(), "name"));
}

}  // namespace gpuconv::python
