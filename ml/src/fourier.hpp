// SPDX-License-Identifier: Apache-2.0
// Two-dimensional discrete Fourier transforms of images.
#pragma once

#include <Eigen/Dense>
#include <complex>

#include "stembridge/structure/image.hpp"

namespace stembridge::ml {

using ComplexPixels = Eigen::Array<std::complex<float>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// F(ky, kx) = sum over y, x of f(y, x) exp(-2 pi i (kx x / width + ky y / height)).
ComplexPixels fourier_transform(const ComplexPixels& field);

/// The inverse of fourier_transform, with the factor 1 / (width height).
ComplexPixels inverse_fourier_transform(const ComplexPixels& spectrum);

/// Smallest size >= n whose only prime factors are 2, 3 and 5.
int good_fourier_size(int n);

}  // namespace stembridge::ml
