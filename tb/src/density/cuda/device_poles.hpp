// SPDX-License-Identifier: Apache-2.0
// The inverses of a pole expansion on a device: all poles batched per level of the elimination tree.
#pragma once

#include <memory>
#include <optional>

#include "density/cuda/device_array.hpp"
#include "density/cuda/front_schedule.hpp"
#include "density/cuda/pattern_map.hpp"
#include "density/pole_expansion/pole_inverses.hpp"

namespace stembridge::tb {

/// Multifrontal factorisation and selected inverse, the same as Multifrontal, by batches. Every front stays
/// on the device as a full matrix, and so do the elements of the inverses unless they are fetched; H, S and
/// sums cross the bus.
class DevicePoles final : public PoleInverses {
  public:
    /// @param device must outlive it
    explicit DevicePoles(Device& device) : device_(device) {}
    void analyze(const BlockPattern& pattern, const Symbolic& symbolic) override;
    void set_overlap(const BlockMatrix& overlap) override;
    void invert(std::size_t spin, const BlockMatrix& hamiltonian, const std::vector<std::complex<double>>& z,
                bool rough, const std::stop_token& stop, Eigen::VectorXcd& with_overlap,
                Eigen::VectorXcd& with_hamiltonian) override;
    void add_sum(std::size_t spin, const Eigen::VectorXcd& weights, BlockMatrix& out) override;
    std::vector<std::vector<std::complex<double>>> fetch(std::size_t spin) override;

    const FrontSchedule& schedule() const { return *schedule_; }
    /// Bytes on the device for the fronts and work space of one pole. @param value_size of one number
    std::size_t bytes_per_pole(std::size_t value_size) const;
    /// Poles that were worked on together in the last invert().
    int poles_at_once() const { return poles_at_once_; }

  private:
    struct Level {
        DeviceArray<FrontShape> small;
        std::vector<DeviceArray<ChildLink>> rounds;
    };
    /// G_j of a spin, as complex numbers of double or single precision.
    struct Kept {
        bool rough = false;
        int n_poles = 0;
        DeviceArray<unsigned char> g;
    };
    template <typename Real>
    void invert_in(Kept& kept, const std::vector<std::complex<double>>& z, const std::stop_token& stop,
                   Eigen::VectorXcd& with_overlap, Eigen::VectorXcd& with_hamiltonian);
    template <typename Real>
    void eliminate(FrontStorage<Real> fronts, const std::stop_token& stop);
    template <typename Real>
    void select_inverse(FrontStorage<Real> fronts, const std::stop_token& stop);
    template <typename Real>
    void eliminate_large(const FrontShape& shape, FrontStorage<Real> fronts, std::complex<Real>* work);
    template <typename Real>
    void invert_large(const FrontShape& shape, FrontStorage<Real> fronts, std::complex<Real>* work);
    /// Calls task(front, work space) for every large front, on streams side by side.
    template <typename Real, typename Task>
    void on_streams(const std::vector<int>& large, int n_poles, const Task& task);
    int n_streams() const;

    Device& device_;
    std::unique_ptr<PatternMap> map_;
    std::unique_ptr<FrontSchedule> schedule_;
    std::vector<Level> levels_;
    DeviceArray<int> rows_;
    DeviceArray<std::int64_t> position_, mirror_;
    DeviceArray<double> overlap_, hamiltonian_, overlap_weights_, hamiltonian_weights_, sum_;
    DeviceArray<unsigned char> fronts_, work_;  ///< never smaller than they were: made anew they cost time
    std::vector<Kept> kept_;
    int poles_at_once_ = 0;
};

}  // namespace stembridge::tb
