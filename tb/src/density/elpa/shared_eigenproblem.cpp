// SPDX-License-Identifier: Apache-2.0
#include "density/elpa/shared_eigenproblem.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

#include "density/eigenstates.hpp"
#include "density/elpa/block_cyclic.hpp"
#include "density/elpa/processes.hpp"
#include "density/elpa/scalapack.hpp"

namespace stembridge::tb {
namespace {

template <typename Scalar>
class Problem final : public SharedEigenproblem {
  public:
    Problem(BlockPlaces places, KPoints kpoints)
        : places_(std::move(places)),
          kpoints_(std::move(kpoints)),
          share_(places_.n_orbitals, n_processes(), process_rank()),
          grid_(share_.grid_rows, share_.grid_columns),
          elpa_(share_),
          descriptor_(share_.descriptor(grid_.context())) {}

    int set_overlap(std::vector<double> values) override {
        values.resize(places_.n_values());
        broadcast(values);
        inverse_factors_.clear();
        for (int k = 0; k < kpoints_.size(); ++k) {
            // S = U^H U, V = U^-1
            Matrix& v = inverse_factors_.emplace_back(here(values, k));
            int info = cholesky(share_.n, v.data(), descriptor_);
            if (info == 0) info = invert_triangle(share_.n, v.data(), descriptor_);
            if (info = worst(info); info != 0) return info;
        }
        return 0;
    }

    int diagonalise(int spin, std::vector<double> values, Eigen::MatrixXd& levels) override {
        values.resize(places_.n_values());
        broadcast(values);
        states_.resize(std::max(states_.size(), static_cast<std::size_t>(spin) + 1));
        std::vector<Matrix>& states = states_[static_cast<std::size_t>(spin)];
        states.resize(static_cast<std::size_t>(kpoints_.size()));
        levels.resize(share_.n, kpoints_.size());
        for (int k = 0; k < kpoints_.size(); ++k) {
            // A = V^H H V, A x = e x, c = V x
            const Matrix& v = inverse_factors_[static_cast<std::size_t>(k)];
            Matrix a = here(values, k);
            times_triangle('L', 'C', share_.n, v.data(), a.data(), descriptor_);
            times_triangle('R', 'N', share_.n, v.data(), a.data(), descriptor_);
            Matrix& c = states[static_cast<std::size_t>(k)];
            c.resize(a.rows(), a.cols());
            if (const int error = worst(elpa_.diagonalise(a.data(), levels.col(k).data(), c.data()));
                error != 0)
                return error;
            times_triangle('L', 'N', share_.n, v.data(), c.data(), descriptor_);
        }
        return 0;
    }

    void weigh_states(int spin, Eigen::MatrixXd weights, std::vector<double>& values) const override {
        std::vector<double> numbers(static_cast<std::size_t>(share_.n) *
                                    static_cast<std::size_t>(kpoints_.size()));
        std::copy(weights.data(), weights.data() + weights.size(), numbers.begin());
        broadcast(numbers);
        weights = Eigen::Map<Eigen::MatrixXd>(numbers.data(), share_.n, kpoints_.size());

        values.assign(places_.n_values(), 0.0);
        Matrix weighted, product(share_.n_rows(), share_.n_columns());
        for (int k = 0; k < kpoints_.size(); ++k) {
            const LevelRange range = levels_that_count(weights.col(k));
            if (range.size() == 0) continue;
            const Matrix& c = states_[static_cast<std::size_t>(spin)][static_cast<std::size_t>(k)];
            weighted = c * weights(share_.columns, k).asDiagonal();
            multiply_columns(share_.n, static_cast<int>(range.first), static_cast<int>(range.size()),
                             weighted.data(), c.data(), product.data(), descriptor_);
            add_elements(product, k, values);
        }
        add_up(values.data(), values.size());
    }

    void collect_states(int spin, int kpoint, int first, int count, Eigen::MatrixXcd& states) const override {
        const Matrix& c = states_[static_cast<std::size_t>(spin)][static_cast<std::size_t>(kpoint)];
        states = Eigen::MatrixXcd::Zero(share_.n, count);
        for (int a = 0; a < count; ++a) {
            const int column = share_.column_here[static_cast<std::size_t>(first + a)];
            if (column < 0) continue;
            for (int row = 0; row < share_.n_rows(); ++row)
                states(share_.rows[static_cast<std::size_t>(row)], a) = c(row, column);
        }
        add_up(reinterpret_cast<double*>(states.data()), 2 * static_cast<std::size_t>(states.size()));
    }

  private:
    using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

    /// exp(2 pi i k T); 1 at Gamma.
    Scalar phase(int k, const BlockPlaces::Place& b) const {
        if constexpr (std::is_same_v<Scalar, double>)
            return 1;
        else
            return std::polar(
                1.0, 2 * std::numbers::pi *
                         kpoints_.points.col(k).dot(Eigen::Vector3d(b.image[0], b.image[1], b.image[2])));
    }

    static double conjugate(double x) { return x; }
    static std::complex<double> conjugate(std::complex<double> x) { return std::conj(x); }

    /// Calls function(value, local row, local column) for the elements of one block of values that lie here,
    /// as they stand or, transposed, in the other triangle.
    template <typename Function>
    void elements_here(const BlockPlaces::Place& b, bool transposed, const Function& function) const {
        for (int j = 0; j < b.n_columns; ++j)
            for (int i = 0; i < b.n_rows; ++i) {
                const int row = transposed ? b.column + j : b.row + i,
                          column = transposed ? b.row + i : b.column + j;
                const int local_row = share_.row_here[static_cast<std::size_t>(row)];
                const int local_column = share_.column_here[static_cast<std::size_t>(column)];
                if (local_row >= 0 && local_column >= 0)
                    function(static_cast<std::size_t>(j) * static_cast<std::size_t>(b.n_rows) +
                                 static_cast<std::size_t>(i),
                             local_row, local_column);
            }
    }

    /// The share of this process in sum_T M(T) exp(2 pi i k T), both triangles.
    Matrix here(const std::vector<double>& values, int k) const {
        Matrix result = Matrix::Zero(share_.n_rows(), share_.n_columns());
        const double* block = values.data();
        for (const BlockPlaces::Place& b : places_.blocks) {
            const Scalar z = phase(k, b);
            elements_here(b, false,
                          [&](std::size_t v, int row, int column) { result(row, column) += z * block[v]; });
            if (!b.on_site())
                elements_here(b, true, [&](std::size_t v, int row, int column) {
                    result(row, column) += conjugate(z) * block[v];
                });
            block += b.n_rows * b.n_columns;
        }
        return result;
    }

    /// Adds Re[ P exp(-2 pi i k T) ] of the elements that lie here.
    void add_elements(const Matrix& p, int k, std::vector<double>& values) const {
        double* block = values.data();
        for (const BlockPlaces::Place& b : places_.blocks) {
            const Scalar z = conjugate(phase(k, b));
            elements_here(b, false, [&](std::size_t v, int row, int column) {
                block[v] += std::real(z * p(row, column));
            });
            block += b.n_rows * b.n_columns;
        }
    }

    BlockPlaces places_;
    KPoints kpoints_;
    BlockCyclic share_;
    ProcessGrid grid_;
    Elpa elpa_;
    Descriptor descriptor_;
    std::vector<Matrix> inverse_factors_;  ///< V of each k-point
    std::vector<std::vector<Matrix>>
        states_;  ///< of each spin and k-point, columns in the order of the levels
};

/// What the first process knows, on all.
void share(BlockPlaces& places, KPoints& kpoints) {
    std::vector<int> sizes = {places.n_orbitals, static_cast<int>(places.blocks.size()), kpoints.size()};
    broadcast(sizes);
    places.n_orbitals = sizes[0];
    constexpr int per_block = 7;
    std::vector<int> numbers;
    for (const BlockPlaces::Place& b : places.blocks)
        numbers.insert(numbers.end(),
                       {b.row, b.column, b.n_rows, b.n_columns, b.image[0], b.image[1], b.image[2]});
    numbers.resize(static_cast<std::size_t>(sizes[1]) * per_block);
    broadcast(numbers);
    places.blocks.clear();
    for (const int* x = numbers.data(); x != numbers.data() + numbers.size(); x += per_block)
        places.blocks.push_back({x[0], x[1], x[2], x[3], {x[4], x[5], x[6]}});

    std::vector<double> points(kpoints.points.data(), kpoints.points.data() + kpoints.points.size());
    points.resize(3 * static_cast<std::size_t>(sizes[2]));
    broadcast(points);
    kpoints.points = Eigen::Map<Eigen::Matrix3Xd>(points.data(), 3, sizes[2]);
    kpoints.weights.setOnes(sizes[2]);  // those of the levels hold them
}

}  // namespace

std::size_t BlockPlaces::n_values() const {
    std::size_t n = 0;
    for (const Place& b : blocks)
        n += static_cast<std::size_t>(b.n_rows) * static_cast<std::size_t>(b.n_columns);
    return n;
}

std::unique_ptr<SharedEigenproblem> make_shared_eigenproblem(BlockPlaces places, KPoints kpoints) {
    share(places, kpoints);
    if (kpoints.only_gamma()) return std::make_unique<Problem<double>>(std::move(places), std::move(kpoints));
    return std::make_unique<Problem<std::complex<double>>>(std::move(places), std::move(kpoints));
}

bool is_large_enough(int n_orbitals) {
    const BlockCyclic share(n_orbitals, n_processes(), 0);
    return n_orbitals >= std::max(share.grid_rows, share.grid_columns);
}

}  // namespace stembridge::tb
