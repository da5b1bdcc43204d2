#include "device_array.hpp"

#include "dlpack.hpp"
#include "dtypes.hpp"

#include <algorithm>
#include <string_view>

namespace gpuconv::python {
namespace {

constexpr const char* kInterface = "__cuda_array_interface__";

// An attribute, or null where there is none.
nb::object attribute(PyObject* object, const char* name) {
  nb::object found = nb::steal(PyObject_GetAttrString(object, name));
  if (found) return found;
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) nb::raise_python_error();
  PyErr_Clear();
  return found;
}

bool has_method(PyObject* object, const char* name) {
  return PyObject_HasAttrString(reinterpret_cast<PyObject*>(Py_TYPE(object)), name);
}

std::int64_t integer_of(nb::handle number) {
  const long long value = PyLong_AsLongLong(number.ptr());
  if (value == -1 && PyErr_Occurred()) nb::raise_python_error();
  return value;
}

std::int64_t integer_at(nb::handle tuple, Py_ssize_t i) {
  return integer_of(checked(PySequence_GetItem(tuple.ptr(), i)));
}

int length_of(nb::handle tuple) {
  const Py_ssize_t length = PySequence_Size(tuple.ptr());
  if (length < 0) nb::raise_python_error();
  if (length > kMostAxes) raise(PyExc_ValueError, "an array has %zd axes, at most %d are supported", length, kMostAxes);
  return static_cast<int>(length);
}

// An entry of CUDA's array interface, borrowed; null where it is None or not there.
PyObject* entry(nb::object const& interface, const char* name) {
  PyObject* const value = PyDict_GetItemString(interface.ptr(), name);
  return value == Py_None ? nullptr : value;
}
PyObject* required(nb::object const& interface, const char* name) {
  PyObject* const value = entry(interface, name);
  if (!value) raise(PyExc_TypeError, "%s has no '%s'", kInterface, name);
  return value;
}

char* address_in(nb::object const& interface) {
  const nb::object address = checked(PySequence_GetItem(required(interface, "data"), 0));
  void* const data = PyLong_AsVoidPtr(address.ptr());
  if (!data && PyErr_Occurred()) nb::raise_python_error();
  return static_cast<char*>(data);
}

// The entry "stream", which version 3 brought.
std::optional<Stream> stream_in(nb::object const& interface) {
  PyObject* const version = entry(interface, "version");
  PyObject* const stream = entry(interface, "stream");
  if (!stream || !version || integer_of(version) < 3) return std::nullopt;
  return stream_of(Numbering::array_interface, integer_of(stream));
}

// The kind and number of the device, as DLPack has them.
std::array<std::int64_t, 2> dlpack_device(PyObject* object) {
  const nb::object device = checked(PyObject_CallMethod(object, "__dlpack_device__", nullptr));
  return {integer_at(device, 0), integer_at(device, 1)};
}

npy_intp size_of_number(int number) {
  const nb::object type = checked(reinterpret_cast<PyObject*>(descriptor(number)));
  return PyDataType_ELSIZE(reinterpret_cast<PyArray_Descr*>(type.ptr()));
}

DeviceArray by_interface(Offer const& offer) {
  DeviceArray array{.object = offer.object, .owner = offer.interface};
  if (entry(offer.interface, "mask"))
    raise(PyExc_NotImplementedError, "arrays with a mask are not supported ('mask' of %s)", kInterface);
  array.number = number_of_native_dtype(required(offer.interface, "typestr"));
  array.size = size_of_number(array.number);
  array.data = address_in(offer.interface);
  const nb::object read_only = checked(PySequence_GetItem(required(offer.interface, "data"), 1));
  array.read_only = PyObject_IsTrue(read_only.ptr()) != 0;
  PyObject* const shape = required(offer.interface, "shape");
  array.shape.axes = length_of(shape);
  for (int axis = 0; axis < array.shape.axes; ++axis)
    array.shape.counts[static_cast<std::size_t>(axis)] = integer_at(shape, axis);
  array.strides = contiguous(array.shape, array.size);
  if (PyObject* const strides = entry(offer.interface, "strides")) {
    if (length_of(strides) != array.shape.axes) raise(PyExc_ValueError, "%s: as many strides as axes", kInterface);
    for (int axis = 0; axis < array.shape.axes; ++axis)
      array.strides[static_cast<std::size_t>(axis)] = integer_at(strides, axis);
  }
  return array;
}

// NumPy's number of a type of DLPack's.
int number_of_type(dlpack::Tensor const& t) {
  const auto is = [&](dlpack::Code code, int bits) { return t.code == code && t.bits == bits && t.lanes == 1; };
  struct Known {
    dlpack::Code code;
    int bits, number;
  };
  constexpr std::array known{Known{dlpack::integer, 8, NPY_INT8},
                             Known{dlpack::integer, 16, NPY_INT16},
                             Known{dlpack::integer, 32, NPY_INT32},
                             Known{dlpack::integer, 64, NPY_INT64},
                             Known{dlpack::unsigned_integer, 8, NPY_UINT8},
                             Known{dlpack::unsigned_integer, 16, NPY_UINT16},
                             Known{dlpack::unsigned_integer, 32, NPY_UINT32},
                             Known{dlpack::unsigned_integer, 64, NPY_UINT64},
                             Known{dlpack::floating, 16, NPY_HALF},
                             Known{dlpack::floating, 32, NPY_FLOAT},
                             Known{dlpack::floating, 64, NPY_DOUBLE},
                             Known{dlpack::complex, 64, NPY_CFLOAT},
                             Known{dlpack::complex, 128, NPY_CDOUBLE},
                             Known{dlpack::boolean, 8, NPY_BOOL}};
  for (Known const& k : known)
    if (is(k.code, k.bits)) return k.number;
  if (is(dlpack::bfloat, 16)) return number_of(Type::bfloat16);
  raise(PyExc_NotImplementedError, "gpuconv has no element type of DLPack's code %d with %d bits in %d lanes",
        static_cast<int>(t.code), static_cast<int>(t.bits), static_cast<int>(t.lanes));
}

void describe(DeviceArray& array, dlpack::Tensor const& t) {
  if (t.device_kind != dlpack::kCuda && t.device_kind != dlpack::kCudaManaged)
    raise(PyExc_BufferError, "an array on a CUDA device was exported to device kind %d",
          static_cast<int>(t.device_kind));
  if (t.axes < 0 || t.axes > kMostAxes)
    raise(PyExc_ValueError, "an array has %d axes, at most %d are supported", static_cast<int>(t.axes), kMostAxes);
  array.number = number_of_type(t);
  array.size = t.bits / 8;
  array.data = static_cast<char*>(t.data) + t.offset;
  array.shape.axes = t.axes;
  std::copy_n(t.counts, t.axes, array.shape.counts.begin());
  array.strides = contiguous(array.shape, array.size);
  if (t.strides)
    std::transform(t.strides, t.strides + t.axes, array.strides.begin(),
                   [&](std::int64_t stride) { return stride * array.size; });
}

// Takes over what a capsule of this name holds, and gives it back when `owner` goes.
template <class Held>
Held& taken(nb::object const& capsule, const char* name, const char* used, nb::object& owner) {
  auto* const held = static_cast<Held*>(PyCapsule_GetPointer(capsule.ptr(), name));
  if (!held) nb::raise_python_error();
  owner = nb::capsule(held, [](void* pointer) noexcept {
    auto* const managed = static_cast<Held*>(pointer);
    if (managed->release) managed->release(managed);
  });
  if (PyCapsule_SetName(capsule.ptr(), used) < 0) nb::raise_python_error();
  return *held;
}

// Calls __dlpack__, of libraries that know version 1 with the version that is taken.
nb::object exported(PyObject* object, Stream stream) {
  const nb::object method = checked(PyObject_GetAttrString(object, "__dlpack__"));
  const nb::object nothing = checked(PyTuple_New(0));
  const nb::object how = checked(Py_BuildValue("{s:L,s:(ii)}", "stream", static_cast<long long>(number_of(stream)),
                                               "max_version", static_cast<int>(dlpack::kMajor), 0));
  nb::object capsule = nb::steal(PyObject_Call(method.ptr(), nothing.ptr(), how.ptr()));
  if (capsule) return capsule;
  if (!PyErr_ExceptionMatches(PyExc_TypeError)) nb::raise_python_error();
  PyErr_Clear();
  if (PyDict_DelItemString(how.ptr(), "max_version") < 0) nb::raise_python_error();
  return checked(PyObject_Call(method.ptr(), nothing.ptr(), how.ptr()));
}

DeviceArray by_dlpack(Offer const& offer, Stream stream) {
  const nb::object capsule = exported(offer.object.ptr(), stream);
  DeviceArray array{.object = offer.object};
  if (PyCapsule_IsValid(capsule.ptr(), "dltensor_versioned")) {
    auto const& held = taken<dlpack::Versioned>(capsule, "dltensor_versioned", "used_dltensor_versioned", array.owner);
    if (held.major != dlpack::kMajor)
      raise(PyExc_BufferError, "version %u of DLPack is not supported, only %u and 0", held.major, dlpack::kMajor);
    array.read_only = (held.flags & (dlpack::kReadOnly | dlpack::kCopied)) != 0;
    describe(array, held.tensor);
  } else if (PyCapsule_IsValid(capsule.ptr(), "dltensor")) {
    describe(array, taken<dlpack::Managed>(capsule, "dltensor", "used_dltensor", array.owner).tensor);
  } else {
    raise(PyExc_BufferError, "__dlpack__ gave no array, or one that another library has taken: %R", capsule.ptr());
  }
  return array;
}

}  // namespace

bool is_on_device(PyObject* object) {
  if (has_method(object, "__dlpack_device__")) {
    const std::int64_t kind = dlpack_device(object)[0];
    return kind == dlpack::kCuda || kind == dlpack::kCudaManaged;
  }
  return has_method(object, kInterface);
}

Offer offer_of(PyObject* object) {
  Offer offer{.object = nb::borrow(object)};
  const nb::object library = checked(PyImport_ImportModule("gpuconv._cuda"));
  const nb::object stream = checked(PyObject_CallMethod(library.ptr(), "current_stream", "O", object));
  const bool exports = has_method(object, "__dlpack__");
  if (exports) offer.device = static_cast<int>(dlpack_device(object)[1]);
  if (!stream.is_none()) {
    offer.stream = stream_of(Numbering::dlpack, integer_of(stream));
    return offer;
  }
  nb::object interface = attribute(object, kInterface);
  if (!interface) return offer;
  if (!PyDict_Check(interface.ptr())) raise(PyExc_TypeError, "%s is no dictionary", kInterface);
  offer.stream = stream_in(interface);
  if (exports && !offer.stream) return offer;  // DLPack says who waits for whom
  if (!exports)
    if (void const* const data = address_in(interface)) offer.device = device_of(data);
  offer.interface = std::move(interface);
  return offer;
}

DeviceArray array_of(Offer const& offer, Stream stream) {
  DeviceArray array = offer.interface ? by_interface(offer) : by_dlpack(offer, stream);
  const auto counts = array.shape.counts.begin();
  if (std::any_of(counts, counts + array.shape.axes, [](npy_intp count) { return count < 0; }))
    raise(PyExc_ValueError, "an array has the shape %s", to_text(array.shape).c_str());
  return array;
}

}  // namespace gpuconv::python
