// SPDX-License-Identifier: Apache-2.0
// Two-dimensional transforms as rows, then columns, of Eigen's one-dimensional ones.
#include "fourier.hpp"

#include <unsupported/Eigen/FFT>
#include <vector>

namespace stembridge::ml {
namespace {

enum class Direction { forward, inverse };

ComplexPixels transform(const ComplexPixels& field, Direction direction) {
    Eigen::FFT<float> fft;
    ComplexPixels result(field.rows(), field.cols());
    const auto one_line = [&](std::vector<std::complex<float>>& out,
                              const std::vector<std::complex<float>>& in) {
        direction == Direction::forward ? fft.fwd(out, in) : fft.inv(out, in);
    };
    std::vector<std::complex<float>> in(static_cast<std::size_t>(field.cols())), out;
    for (Eigen::Index y = 0; y < field.rows(); ++y) {
        for (Eigen::Index x = 0; x < field.cols(); ++x) in[static_cast<std::size_t>(x)] = field(y, x);
        one_line(out, in);
        for (Eigen::Index x = 0; x < field.cols(); ++x) result(y, x) = out[static_cast<std::size_t>(x)];
    }
    in.resize(static_cast<std::size_t>(field.rows()));
    for (Eigen::Index x = 0; x < field.cols(); ++x) {
        for (Eigen::Index y = 0; y < field.rows(); ++y) in[static_cast<std::size_t>(y)] = result(y, x);
        one_line(out, in);
        for (Eigen::Index y = 0; y < field.rows(); ++y) result(y, x) = out[static_cast<std::size_t>(y)];
    }
    return result;
}

}  // namespace

ComplexPixels fourier_transform(const ComplexPixels& field) {
    return transform(field, Direction::forward);
}

ComplexPixels inverse_fourier_transform(const ComplexPixels& spectrum) {
    return transform(spectrum, Direction::inverse);
}

int good_fourier_size(int n) {
    for (int size = std::max(n, 1);; ++size) {
        int rest = size;
        for (const int prime : {2, 3, 5})
            while (rest % prime == 0) rest /= prime;
        if (rest == 1) return size;
    }
}

}  // namespace stembridge::ml
