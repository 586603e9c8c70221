// SPDX-License-Identifier: Apache-2.0
// NumPy's array format, shared by .npy and .npz.
#pragma once

#include <string>
#include <vector>

#include "bytes.hpp"
#include "stembridge/structure/image.hpp"

namespace stembridge::io {

/// An array in NumPy's format, versions 1 to 3, as a view of bytes that must outlive it.
class NpyArray {
  public:
    /// @param name of the file for messages  @throw FileError when malformed or truncated  @throw InputError
    /// when the type of the items cannot be pixels
    NpyArray(Bytes file, const std::string& name);
    const std::vector<std::uint64_t>& shape() const { return shape_; }
    /// Pixels of a frame; the shape must have passed check_shape().
    Pixels frame(int index) const;

  private:
    Bytes items_;
    std::vector<std::uint64_t> shape_;
    char kind_ = 'f';  // of NumPy: b, i, u, f
    std::size_t item_size_ = 4;
    bool swapped_ = false;
    bool column_major_ = false;
};

}  // namespace stembridge::io
