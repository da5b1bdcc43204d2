#include "device_work.hpp"

#include "dtypes.hpp"

#include <gpuconv/error.hpp>

#include <algorithm>
#include <string>

namespace gpuconv::python {
namespace {

nb::object library_module() { return checked(PyImport_ImportModule("gpuconv._cuda")); }

constexpr const char* kNoCuda =
    "%s; arrays in the memory of a GPU take a driver and a gpuconv that is built with CUDA: "
    "pip install -C cmake.define.GPUCONV_CUDA=ON on its source, where a CUDA toolkit is";

std::vector<Offer> offers_of(std::vector<NamedArray> const& arrays) {
  try {
    std::vector<Offer> offers;
    static_cast<void>(is_captured({}));  // asks for CUDA, before a library exports anything
    for (NamedArray const& array : arrays) offers.push_back(offer_of(array.object));
    return offers;
  } catch (Unsupported const& error) {
    raise(PyExc_NotImplementedError, kNoCuda, error.what());
  }
}

// `later` waits for `earlier`, if they are two.
void follow(Stream later, Stream earlier) {
  if (is_same(later, earlier)) return;
  Event event;
  event.record(earlier);
  event.precede(later);
}

}  // namespace

DeviceWork::DeviceWork(std::vector<NamedArray> const& arrays) : library_(library_module()) {
  const nb::object check = checked(PyObject_GetAttrString(library_.ptr(), "check_libraries"));
  nb::list objects;
  for (NamedArray const& array : arrays) objects.append(nb::borrow(array.object));
  check(objects);
  const std::vector<Offer> offers = offers_of(arrays);
  const char* who = nullptr;  // the array that names the device
  for (std::size_t i = 0; i < offers.size(); ++i) {
    if (offers[i].device < 0) continue;
    if (who && offers[i].device != device_)
      raise(PyExc_ValueError, "the %s is on CUDA device %d, the %s on CUDA device %d", who, device_, arrays[i].name,
            offers[i].device);
    who = arrays[i].name;
    device_ = offers[i].device;
  }
  if (device_ >= 0) on_.emplace(device_);
  const auto told = std::find_if(offers.begin(), offers.end(), [](Offer const& o) { return o.stream.has_value(); });
  if (told != offers.end()) stream_ = *told->stream;
  for (Offer const& offer : offers) add(offer);
}

DeviceWork::~DeviceWork() {
  if (is_finished_) return;
  const nb::error_scope kept;
  try {
    finish();
  } catch (...) {  // the error that is under way says more
  }
}

DeviceArray& DeviceWork::add(Offer const& offer) {
  arrays_.push_back(array_of(offer, stream_));
  is_finished_ = false;
  if (!offer.stream) waits_ = true;
  else if (!is_same(*offer.stream, stream_)) follow(stream_, *offer.stream), others_.push_back(*offer.stream);
  return arrays_.back();
}

DeviceArray& DeviceWork::new_array(Shape const& shape, int number) {
  const nb::object made = checked(PyObject_CallMethod(library_.ptr(), "empty", "OOO", arrays_[0].object.ptr(),
                                                      tuple_of(shape).ptr(), dtype_name(number).ptr()));
  DeviceArray& array = add(offer_of(made.ptr()));
  if (!is_same_type(array.number, number) || array.shape.axes != shape.axes ||
      !std::equal(shape.counts.begin(), shape.counts.begin() + shape.axes, array.shape.counts.begin()))
    raise(PyExc_TypeError, "an array of %s of shape %s was asked for, its library made another one",
          nb::cast<std::string>(dtype_name(number)).c_str(), to_text(shape).c_str());
  return array;
}

bool DeviceWork::are_written() const {
  const nb::object answer = checked(PyObject_CallMethod(library_.ptr(), "are_written", "O", arrays_[0].object.ptr()));
  return answer.is(nb::handle(Py_True));
}

void DeviceWork::copy(DeviceArray const& from, DeviceArray const& to) {
  finish();  // the library's stream may be another one
  if (PyObject_SetItem(to.object.ptr(), Py_Ellipsis, from.object.ptr()) < 0) nb::raise_python_error();
}

nb::object DeviceWork::as_result(DeviceArray const& array, int number) {
  return checked(PyObject_CallMethod(library_.ptr(), "imported", "OOO", arrays_[0].object.ptr(), array.object.ptr(),
                                     dtype_name(number).ptr()));
}

void DeviceWork::finish() {
  is_finished_ = true;
  const nb::gil_scoped_release unlocked;
  for (Stream const other : others_) follow(other, stream_);
  if (waits_) synchronize(stream_);
}

nb::object numpys_dtype(PyObject* dtype, PyObject* array) {
  return checked(PyObject_CallMethod(library_module().ptr(), "numpys_dtype", "OO", dtype, array));
}

}  // namespace gpuconv::python
