// Everything in gpuconv.
#pragma once

#include <gpuconv/convolve.hpp>
#include <gpuconv/device.hpp>
#include <gpuconv/error.hpp>
#include <gpuconv/export.hpp>
#include <gpuconv/info.hpp>
#include <gpuconv/plan.hpp>
#include <gpuconv/problem.hpp>
#include <gpuconv/recipes.hpp>
#include <gpuconv/types.hpp>
#include <gpuconv/version.hpp>
#include <gpuconv/view.hpp>
