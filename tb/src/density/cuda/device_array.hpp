// SPDX-License-Identifier: Apache-2.0
// Memory of a device that is given back with the object.
#pragma once

#include <utility>
#include <vector>

#include "density/cuda/device.hpp"

namespace stembridge::tb {

/// Values of one type on a device, which must outlive them.
template <typename T>
class DeviceArray {
  public:
    DeviceArray() = default;
    DeviceArray(Device& device, std::size_t size) : device_(&device), size_(size) {
        if (size > 0) data_ = static_cast<T*>(device.allocate(size * sizeof(T)));
    }
    DeviceArray(Device& device, const std::vector<T>& values) : DeviceArray(device, values.size()) {
        upload(values.data());
    }
    ~DeviceArray() {
        if (data_ != nullptr) device_->release(data_);
    }
    DeviceArray(DeviceArray&& other) noexcept { swap(other); }
    DeviceArray& operator=(DeviceArray&& other) noexcept {
        DeviceArray old(std::move(other));
        swap(old);
        return *this;
    }
    DeviceArray(const DeviceArray&) = delete;
    DeviceArray& operator=(const DeviceArray&) = delete;

    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }

    void upload(const T* values) {
        if (size_ > 0) device_->to_device(data_, values, size_ * sizeof(T));
    }
    std::vector<T> download() const {
        std::vector<T> values(size_);
        if (size_ > 0) device_->to_host(values.data(), data_, size_ * sizeof(T));
        return values;
    }
    void set_zero() {
        if (size_ > 0) device_->set_zero(data_, size_ * sizeof(T));
    }
    void copy_from(const DeviceArray& other) { device_->copy(data_, other.data_, size_ * sizeof(T)); }
    /// As large as wanted, contents lost when that is another size.
    void resize(Device& device, std::size_t size) {
        if (size == size_) return;
        *this = DeviceArray();
        *this = DeviceArray(device, size);
    }
    void swap(DeviceArray& other) noexcept {
        std::swap(device_, other.device_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
    }

  private:
    Device* device_ = nullptr;
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace stembridge::tb
