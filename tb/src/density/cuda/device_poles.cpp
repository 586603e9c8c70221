// SPDX-License-Identifier: Apache-2.0
#include "density/cuda/device_poles.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "stembridge/base/errors.hpp"

namespace stembridge::tb {
namespace {

void check(const std::stop_token& stop) {
    if (stop.stop_requested()) throw StoppedError("density matrix: stopped during a factorisation");
}

template <typename Real>
std::complex<Real>* as_complex(DeviceArray<unsigned char>& bytes) {
    return reinterpret_cast<std::complex<Real>*>(bytes.data());
}

}  // namespace

void DevicePoles::analyze(const BlockPattern& pattern, const Symbolic& symbolic) {
    levels_.clear();
    kept_.clear();
    map_ = std::make_unique<PatternMap>(pattern);
    schedule_ = std::make_unique<FrontSchedule>(symbolic, device_.fronts(0.0).largest_small_front());
    std::vector<std::int64_t> offsets;
    for (const FrontShape& shape : schedule_->shapes) offsets.push_back(shape.offset);
    position_ = {device_, map_->front_positions(symbolic, offsets, false)};
    mirror_ = {device_, map_->front_positions(symbolic, offsets, true)};
    rows_ = {device_, schedule_->rows};
    for (const FrontSchedule::Level& level : schedule_->levels) {
        Level& here = levels_.emplace_back();
        std::vector<FrontShape> shapes;
        for (const int f : level.small) shapes.push_back(schedule_->shapes[static_cast<std::size_t>(f)]);
        here.small = {device_, shapes};
        for (const auto& round : level.rounds) here.rounds.emplace_back(device_, round);
    }
    for (auto* array : {&overlap_, &hamiltonian_, &overlap_weights_, &hamiltonian_weights_, &sum_})
        array->resize(device_, map_->n_pairs());
}

void DevicePoles::set_overlap(const BlockMatrix& overlap) {
    const std::vector<double> pairs = map_->fold(overlap);
    overlap_.upload(pairs.data());
    overlap_weights_.upload(map_->trace_weights(pairs).data());
}

int DevicePoles::n_streams() const {
    return std::max(1, std::min(device_.n_streams(), schedule_->most_large()));
}

std::size_t DevicePoles::bytes_per_pole(std::size_t value_size) const {
    const std::int64_t work = n_streams() * schedule_->workspace(device_.fronts(0.0).widest_block());
    return value_size * static_cast<std::size_t>(schedule_->n_values + work);
}

void DevicePoles::invert(std::size_t spin, const BlockMatrix& hamiltonian,
                         const std::vector<std::complex<double>>& z, bool rough, const std::stop_token& stop,
                         Eigen::VectorXcd& with_overlap, Eigen::VectorXcd& with_hamiltonian) {
    const std::vector<double> pairs = map_->fold(hamiltonian);
    hamiltonian_.upload(pairs.data());
    hamiltonian_weights_.upload(map_->trace_weights(pairs).data());
    if (kept_.size() <= spin) kept_.resize(spin + 1);
    Kept& kept = kept_[spin];
    const std::size_t value_size = rough ? sizeof(std::complex<float>) : sizeof(std::complex<double>);
    const std::size_t kept_bytes = z.size() * map_->n_pairs() * value_size;
    if (kept.g.size() < kept_bytes) kept.g.resize(device_, kept_bytes);
    kept.rough = rough;
    kept.n_poles = static_cast<int>(z.size());
    // As many poles at once as there is room for, in batches of equal size.
    const std::size_t each = bytes_per_pole(value_size);
    const std::size_t room = device_.free_memory() + fronts_.size() + work_.size();
    const auto fit = static_cast<int>(std::min<std::size_t>(z.size(), room / 10 * 9 / each));
    if (fit < 1)
        throw BackendError(
            fmt::format("{}: one pole of {} orbitals needs {:.2f} GiB, {:.2f} GiB of device memory are free",
                        device_.name(), map_->n_orbitals(), static_cast<double>(each) / (1 << 30),
                        static_cast<double>(room) / (1 << 30)));
    const int batches = (kept.n_poles + fit - 1) / fit;
    poles_at_once_ = (kept.n_poles + batches - 1) / batches;
    const std::size_t front_bytes = value_size * static_cast<std::size_t>(schedule_->n_values);
    const auto at_once = static_cast<std::size_t>(poles_at_once_);
    if (fronts_.size() < at_once * front_bytes || work_.size() < at_once * (each - front_bytes)) {
        // First give back, then take.
        fronts_ = {};
        work_ = {};
        fronts_.resize(device_, at_once * front_bytes);
        work_.resize(device_, at_once * (each - front_bytes));
    }
    with_overlap.resize(kept.n_poles);
    with_hamiltonian.resize(kept.n_poles);
    if (rough)
        invert_in<float>(kept, z, stop, with_overlap, with_hamiltonian);
    else
        invert_in<double>(kept, z, stop, with_overlap, with_hamiltonian);
}

template <typename Real>
void DevicePoles::invert_in(Kept& kept, const std::vector<std::complex<double>>& z,
                            const std::stop_token& stop, Eigen::VectorXcd& with_overlap,
                            Eigen::VectorXcd& with_hamiltonian) {
    FrontOperations<Real>& on = device_.fronts(Real());
    for (int first = 0; first < kept.n_poles; first += poles_at_once_) {
        const FrontStorage<Real> fronts{as_complex<Real>(fronts_),
                                        std::min(poles_at_once_, kept.n_poles - first), schedule_->n_values};
        on.place(map_->n_pairs(), position_.data(), mirror_.data(), hamiltonian_.data(), overlap_.data(),
                 z.data() + first, fronts);
        eliminate(fronts, stop);
        select_inverse(fronts, stop);
        on.gather(map_->n_pairs(), position_.data(), fronts,
                  as_complex<Real>(kept.g) + static_cast<std::size_t>(first) * map_->n_pairs());
    }
    const std::complex<Real>* g = as_complex<Real>(kept.g);
    on.traces(map_->n_pairs(), kept.n_poles, overlap_weights_.data(), g, with_overlap.data());
    on.traces(map_->n_pairs(), kept.n_poles, hamiltonian_weights_.data(), g, with_hamiltonian.data());
}

template <typename Real>
void DevicePoles::eliminate(FrontStorage<Real> fronts, const std::stop_token& stop) {
    FrontOperations<Real>& on = device_.fronts(Real());
    for (std::size_t l = levels_.size(); l-- > 0;) {
        check(stop);
        const FrontSchedule::Level& level = schedule_->levels[l];
        for (const DeviceArray<ChildLink>& round : levels_[l].rounds)
            on.add_children(static_cast<int>(round.size()), round.data(), rows_.data(), fronts);
        on_streams<Real>(level.large, fronts.n_poles, [&](const FrontShape& shape, std::complex<Real>* work) {
            eliminate_large(shape, fronts, work);
        });
        if (!level.small.empty())
            on.eliminate_small(static_cast<int>(level.small.size()), levels_[l].small.data(),
                               level.largest_small, fronts);
    }
}

template <typename Real>
void DevicePoles::select_inverse(FrontStorage<Real> fronts, const std::stop_token& stop) {
    FrontOperations<Real>& on = device_.fronts(Real());
    for (std::size_t l = 0; l < levels_.size(); ++l) {
        check(stop);
        const FrontSchedule::Level& level = schedule_->levels[l];
        on_streams<Real>(level.large, fronts.n_poles, [&](const FrontShape& shape, std::complex<Real>* work) {
            invert_large(shape, fronts, work);
        });
        if (!level.small.empty())
            on.invert_small(static_cast<int>(level.small.size()), levels_[l].small.data(),
                            level.largest_small, fronts);
        for (const DeviceArray<ChildLink>& round : levels_[l].rounds)
            on.take_from_parents(static_cast<int>(round.size()), round.data(), rows_.data(), fronts);
    }
}

template <typename Real, typename Task>
void DevicePoles::on_streams(const std::vector<int>& large, int n_poles, const Task& task) {
    if (large.empty()) return;
    const std::int64_t work_values = n_poles * schedule_->workspace(device_.fronts(Real()).widest_block());
    device_.fork();
    for (std::size_t k = 0; k < large.size(); ++k) {
        const int stream = static_cast<int>(k) % n_streams();
        device_.use_stream(stream);
        task(schedule_->shapes[static_cast<std::size_t>(large[k])],
             as_complex<Real>(work_) + stream * work_values);
    }
    device_.join();
}

/// The sweep of eliminate_small() with wide steps and large products.
template <typename Real>
void DevicePoles::eliminate_large(const FrontShape& shape, FrontStorage<Real> fronts,
                                  std::complex<Real>* work) {
    using Complex = std::complex<Real>;
    FrontOperations<Real>& on = device_.fronts(Real());
    const int m = shape.n_pivots + shape.n_boundary, block = on.widest_block();
    Complex* f = fronts.values + shape.offset;
    const std::int64_t size = std::int64_t{m} * block, stride = fronts.stride;
    Complex *c = work, *u = c + fronts.n_poles * size, *d = u + fronts.n_poles * size;
    for (int first = 0; first < shape.n_pivots; first += block) {
        const int w = std::min(block, shape.n_pivots - first);
        Complex* column = f + std::int64_t{first} * m;
        Complex* diagonal = column + first;
        // D = F_KK^-1, C = F_:K, U = C D, F -= U C^T
        on.invert_blocks(w, diagonal, m, stride, d, fronts.n_poles);
        on.copy_blocks(false, m, w, 1, column, m, stride, c, m, size, fronts.n_poles);
        on.multiply(false, false, m, w, w, 1, c, m, size, d, w, std::int64_t{w} * w, 0, u, m, size,
                    fronts.n_poles);
        on.multiply(false, true, m, m, w, -1, u, m, size, c, m, size, 1, f, m, stride, fronts.n_poles);
        // F_:K = U, F_K: = U^T, F_KK = -D
        on.copy_blocks(false, m, w, 1, u, m, size, column, m, stride, fronts.n_poles);
        on.copy_blocks(true, m, w, 1, u, m, size, f + first, m, stride, fronts.n_poles);
        on.copy_blocks(false, w, w, -1, d, w, std::int64_t{w} * w, diagonal, m, stride, fronts.n_poles);
    }
}

template <typename Real>
void DevicePoles::invert_large(const FrontShape& shape, FrontStorage<Real> fronts, std::complex<Real>* work) {
    using Complex = std::complex<Real>;
    FrontOperations<Real>& on = device_.fronts(Real());
    const int p = shape.n_pivots, b = shape.n_boundary, m = p + b;
    Complex* f11 = fronts.values + shape.offset;
    const std::int64_t stride = fronts.stride, size = std::int64_t{b} * p;
    if (b == 0) {
        on.copy_blocks(false, p, p, -1, f11, m, stride, f11, m, stride, fronts.n_poles);
        return;
    }
    Complex *f21 = f11 + p, *f12 = f11 + std::int64_t{p} * m, *f22 = f12 + p;
    // G21 = -G22 L, G11 = D^-1 - L^T G21, G12 = G21^T
    on.copy_blocks(false, b, p, 1, f21, m, stride, work, b, size, fronts.n_poles);
    on.multiply(false, false, b, p, b, -1, f22, m, stride, work, b, size, 0, f21, m, stride, fronts.n_poles);
    on.multiply(true, false, p, p, b, -1, work, b, size, f21, m, stride, -1, f11, m, stride, fronts.n_poles);
    on.copy_blocks(true, b, p, 1, f21, m, stride, f12, m, stride, fronts.n_poles);
}

void DevicePoles::add_sum(std::size_t spin, const Eigen::VectorXcd& weights, BlockMatrix& out) {
    Kept& kept = kept_.at(spin);
    sum_.set_zero();
    if (kept.rough)
        device_.fronts(0.0f).add_weighted_sum(map_->n_pairs(), kept.n_poles, weights.data(),
                                              as_complex<float>(kept.g), sum_.data());
    else
        device_.fronts(0.0).add_weighted_sum(map_->n_pairs(), kept.n_poles, weights.data(),
                                             as_complex<double>(kept.g), sum_.data());
    map_->add_unfolded(sum_.download(), out);
}

std::vector<std::vector<std::complex<double>>> DevicePoles::fetch(std::size_t spin) {
    Kept& kept = kept_.at(spin);
    const std::size_t n = map_->n_pairs();
    DeviceArray<std::complex<float>> single(device_, kept.rough ? 0 : n);
    std::vector<std::complex<float>> pairs(n);
    std::vector<std::vector<std::complex<double>>> result;
    for (std::size_t j = 0; j < static_cast<std::size_t>(kept.n_poles); ++j) {
        const std::complex<float>* from = single.data();
        if (kept.rough)
            from = as_complex<float>(kept.g) + j * n;
        else
            // Half as many bytes on the bus. A complex number is two real ones.
            device_.dense(0.0f).from_double(
                2 * n, reinterpret_cast<const double*>(as_complex<double>(kept.g) + j * n),
                reinterpret_cast<float*>(single.data()));
        device_.to_host(pairs.data(), from, n * sizeof pairs[0]);
        result.push_back(map_->unfolded(pairs));
    }
    return result;
}

}  // namespace stembridge::tb
