// What gpuconv throws. The types are part of the interface; the texts are for people.
#pragma once

#include <gpuconv/export.hpp>

#include <cstdint>
#include <exception>
#include <string_view>

namespace gpuconv {

/// Base of everything gpuconv throws. Copying never throws and constructing never allocates, so that an error can be
/// reported when memory has run out. Texts over 511 bytes are cut.
class GPUCONV_API Error : public std::exception {
 public:
  explicit Error(std::string_view text) noexcept;
  const char* what() const noexcept override { return text_; }

 private:
  char text_[512];
};

/// An argument is wrong whatever the machine: an empty signal, a shape that does not fit, a size that overflows.
class GPUCONV_API InvalidArgument : public Error {
 public:
  using Error::Error;
};

/// The request is well formed, but the forced method or device cannot serve it; the text says why.
class GPUCONV_API Unsupported : public Error {
 public:
  using Error::Error;
};

/// A call of the CUDA runtime failed; the text names the call and CUDA's error.
class GPUCONV_API CudaError : public Error {
 public:
  CudaError(std::string_view text, int code) noexcept : Error(text), code_(code) {}
  int code() const noexcept { return code_; }  ///< a cudaError_t

 private:
  int code_;
};

/// A call of cuFFT failed; the text names the call and cuFFT's result.
class GPUCONV_API CufftError : public Error {
 public:
  CufftError(std::string_view text, int code) noexcept : Error(text), code_(code) {}
  int code() const noexcept { return code_; }  ///< a cufftResult

 private:
  int code_;
};

/// The machine or its GPU has less memory than the problem needs, or the allocator refused.
class GPUCONV_API OutOfMemory : public Error {
 public:
  /// `bytes`: what was needed, 0 where only the allocator knows.
  OutOfMemory(std::string_view text, std::int64_t bytes) noexcept : Error(text), bytes_(bytes) {}
  std::int64_t bytes() const noexcept { return bytes_; }

 private:
  std::int64_t bytes_;
};

}  // namespace gpuconv
