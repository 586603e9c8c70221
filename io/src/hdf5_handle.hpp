// SPDX-License-Identifier: Apache-2.0
// HDF5 identifiers that close themselves, and the library's own messages switched off.
#pragma once

#include <hdf5.h>

#include <utility>

namespace stembridge::io {

/// HDF5 prints no error stack while this lives. To be made before any other call of the library.
class QuietHdf5 {
  public:
    QuietHdf5() {
        // Damaged files leave things open inside the library, which would complain about them at exit.
        static const herr_t no_exit_handler = H5dont_atexit();
        static_cast<void>(no_exit_handler);
        H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    }
    ~QuietHdf5() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
    QuietHdf5(const QuietHdf5&) = delete;
    QuietHdf5& operator=(const QuietHdf5&) = delete;

  private:
    H5E_auto2_t function_ = nullptr;
    void* data_ = nullptr;
};

/// An HDF5 identifier with the function that closes it. Negative = the call that gave it failed.
class Hdf5Handle {
  public:
    using Close = herr_t (*)(hid_t);
    Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
    ~Hdf5Handle() {
        const QuietHdf5 quiet;  // closing what is damaged has its own complaints
        if (id_ >= 0) close_(id_);
    }
    Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
    Hdf5Handle& operator=(Hdf5Handle&&) = delete;
    operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor): stands for the identifier
    bool failed() const { return id_ < 0; }

  private:
    hid_t id_;
    Close close_;
};

}  // namespace stembridge::io
