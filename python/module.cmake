# The extension module of the Python package: the package's own, and the one of its tests on the emulated GPU.

# gpuconv_add_python_module(TARGET source...): the module _core, with more sources or objects. Python_EXECUTABLE names the
# interpreter, which has nanobind and NumPy.
macro(gpuconv_add_python_module target)
  find_package(Python 3.10 REQUIRED COMPONENTS Interpreter Development.Module ${SKBUILD_SABI_COMPONENT})
  execute_process(COMMAND ${Python_EXECUTABLE} -m nanobind --cmake_dir
    OUTPUT_VARIABLE nanobind_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${Python_EXECUTABLE} -c "import numpy; print(numpy.get_include())"
    OUTPUT_VARIABLE numpy_headers OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  find_package(nanobind CONFIG REQUIRED)
  set(sources arguments.cpp call.cpp device_array.cpp device_call.cpp device_memory.cpp device_operands.cpp device_plan.cpp device_work.cpp dtypes.cpp
    errors.cpp geometry.cpp lags.cpp layout.cpp module.cpp numpy.cpp operand.cpp plan.cpp planned.cpp streams.cpp task.cpp)
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/python/src/)
  nanobind_add_module(${target} STABLE_ABI NOMINSIZE NB_SUPPRESS_WARNINGS ${sources} ${ARGN})
  target_link_libraries(${target} PRIVATE gpuconv::gpuconv gpuconv_settings)
  target_include_directories(${target} SYSTEM PRIVATE ${numpy_headers})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME _core)
endmacro()
