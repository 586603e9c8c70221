// SPDX-License-Identifier: Apache-2.0
#include "density/pole_expansion/near_response.hpp"

#include <algorithm>

namespace stembridge::tb {
namespace {

using Complex = std::complex<double>;
constexpr int most_orbitals = 9;
template <typename Scalar>
using SmallMatrix =
    Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::ColMajor, most_orbitals, most_orbitals>;

/// Atom j beside atom i at Gamma.
struct Neighbour {
    int j = 0;
    double distance = 0;          ///< of the nearest image, bohr
    std::size_t offset = 0;       ///< of a block with the values of G between them
    bool transposed = false;      ///< the block is that of (j, i)
    SmallMatrix<double> overlap;  ///< (i, j), images added up
};

/// Neighbours of every atom, itself among them, ascending.
std::vector<std::vector<Neighbour>> neighbours_of(const BlockMatrix& overlap) {
    std::vector<std::vector<Neighbour>> of(static_cast<std::size_t>(overlap.pattern().basis().n_atoms()));
    const auto add = [&](int i, int j, const Block& b, bool transposed, const SmallMatrix<double>& s) {
        auto& list = of[static_cast<std::size_t>(i)];
        const auto known =
            std::find_if(list.begin(), list.end(), [&](const Neighbour& n) { return n.j == j; });
        if (known == list.end()) return list.push_back({j, b.distance, b.offset, transposed, s});
        known->distance = std::min(known->distance, b.distance);
        known->overlap += s;
    };
    for (const Block& b : overlap.pattern().blocks()) {
        const SmallMatrix<double> s = overlap.block(b);
        add(b.i, b.j, b, false, s);
        if (!b.on_site()) add(b.j, b.i, b, true, s.transpose());
    }
    for (auto& list : of)
        std::sort(list.begin(), list.end(), [](const Neighbour& a, const Neighbour& b) { return a.j < b.j; });
    return of;
}

/// result += G_ij s with G_ij from the values of a block of (i, j), or of (j, i) when `transposed`; n
/// orbitals of i, m of j.
void add_product(const Complex* values, int n, int m, bool transposed, const SmallMatrix<double>& s,
                 SmallMatrix<Complex>& result) {
    if (n == 4 && m == 4 && s.cols() == 4) {
        // The case that counts. A complex number is two rows of real ones.
        Eigen::Matrix4cd g = Eigen::Map<const Eigen::Matrix4cd>(values);
        if (transposed) g.transposeInPlace();
        using Parts = Eigen::Matrix<double, 8, 4>;
        Eigen::Map<Parts>(reinterpret_cast<double*>(result.data())) +=
            Eigen::Map<const Parts>(reinterpret_cast<const double*>(g.data()))
                .lazyProduct(Eigen::Map<const Eigen::Matrix4d>(s.data()));
        return;
    }
    using Map = Eigen::Map<const Eigen::MatrixXcd>;
    if (transposed)
        result += Map(values, m, n).transpose().lazyProduct(s);
    else
        result += Map(values, n, m).lazyProduct(s);
}

/// Column i of G S on the neighbours of one atom i, and the pairs of i made of it, at one pole after another.
class Column {
  public:
    Column(const Basis& basis, const std::vector<std::vector<Neighbour>>& neighbours, double range)
        : basis_(basis),
          neighbours_(neighbours),
          range_(range),
          place_(static_cast<std::size_t>(basis.n_atoms()), -1) {}

    void go_to(int i) {
        for (const Neighbour& k : near()) place_[static_cast<std::size_t>(k.j)] = -1;
        i_ = i;
        for (std::size_t k = 0; k < near().size(); ++k)
            place_[static_cast<std::size_t>(near()[k].j)] = static_cast<int>(k);
        values_.resize(near().size());
    }
    /// Of the atom, itself among them.
    const std::vector<Neighbour>& near() const { return of(i_); }
    /// Pairs are visited once, from the atom that comes first.
    bool counts(const Neighbour& other) const { return other.j >= i_ && other.distance <= range_; }

    /// (G S)_ki = sum_l G_kl S_li for all neighbours k. @param g values of G on the pattern
    void multiply(const Complex* g) {
        for (std::size_t k = 0; k < near().size(); ++k)
            values_[k] = SmallMatrix<Complex>::Zero(n_of(near()[k].j), n_of(i_));
        for (const Neighbour& l : near()) {
            if (l.distance > reach) continue;
            const SmallMatrix<double> s = l.overlap.transpose();
            for (const Neighbour& k : of(l.j)) {
                const int at = place_[static_cast<std::size_t>(k.j)];
                if (at >= 0 && near()[static_cast<std::size_t>(at)].distance < range_ + reach)
                    add_product(g + k.offset, n_of(k.j), n_of(l.j), !k.transposed, s,
                                values_[static_cast<std::size_t>(at)]);
            }
        }
    }
    /// G_mu,nu (S G S)_nu,mu + (G S)_mu,nu (G S)_nu,mu with mu of i and nu of its neighbour number `at`.
    SmallMatrix<Complex> pair(std::size_t at, const Complex* g) const {
        const Neighbour& other = near()[at];
        const int n = n_of(i_), m = n_of(other.j);
        // (G S)_ij and (S G S)_ji = sum_k S_jk (G S)_ki
        SmallMatrix<Complex> back = SmallMatrix<Complex>::Zero(n, m), both = SmallMatrix<Complex>::Zero(m, n);
        for (const Neighbour& k : of(other.j)) {
            const int at_k = place_[static_cast<std::size_t>(k.j)];
            if (k.distance > reach || at_k < 0) continue;
            const Neighbour& from = near()[static_cast<std::size_t>(at_k)];
            add_product(g + from.offset, n, n_of(k.j), from.transposed, k.overlap.transpose(), back);
            both += k.overlap.lazyProduct(values_[static_cast<std::size_t>(at_k)]);
        }
        using Map = Eigen::Map<const Eigen::MatrixXcd>;
        SmallMatrix<Complex> here(n, m);
        if (other.transposed)
            here = Map(g + other.offset, m, n).transpose();
        else
            here = Map(g + other.offset, n, m);
        return here.cwiseProduct(both.transpose()) + back.cwiseProduct(values_[at].transpose());
    }

  private:
    int n_of(int atom) const { return basis_.n_orbitals(atom); }
    const std::vector<Neighbour>& of(int atom) const { return neighbours_[static_cast<std::size_t>(atom)]; }

    // Overlaps beyond nearest neighbours change the result by little.
    static constexpr double reach = 3.8;
    const Basis& basis_;
    const std::vector<std::vector<Neighbour>>& neighbours_;
    const double range_;
    int i_ = 0;
    std::vector<int> place_;  ///< of every atom among the neighbours of i, -1 = it is none
    std::vector<SmallMatrix<Complex>> values_;
};

/// Sums over the orbitals of each pair of shells, of the pair (i, j) of atoms and of its mirror image.
void add_shells(const Basis& basis, int i, int j, const SmallMatrix<double>& orbitals,
                std::vector<Eigen::Triplet<double>>& entries) {
    for (int a = basis.first_shell(i); a < basis.first_shell(i + 1); ++a)
        for (int b = basis.first_shell(j); b < basis.first_shell(j + 1); ++b) {
            const int la = a - basis.first_shell(i), lb = b - basis.first_shell(j);
            const double chi = orbitals.block(la * la, lb * lb, 2 * la + 1, 2 * lb + 1).sum();
            entries.emplace_back(a, b, chi);
            if (i != j) entries.emplace_back(b, a, chi);
        }
}

}  // namespace

Eigen::SparseMatrix<double> near_response(const BlockMatrix& overlap,
                                          const std::vector<std::vector<Complex>>& inverses,
                                          const Eigen::VectorXcd& weights, double range) {
    const Basis& basis = overlap.pattern().basis();
    const auto neighbours = neighbours_of(overlap);
    std::vector<std::vector<Eigen::Triplet<double>>> entries(static_cast<std::size_t>(basis.n_atoms()));
#pragma omp parallel
    {
        Column column(basis, neighbours, range);
#pragma omp for schedule(dynamic, 16)
        for (int i = 0; i < basis.n_atoms(); ++i) {
            column.go_to(i);
            const std::vector<Neighbour>& near = column.near();
            std::vector<SmallMatrix<double>> sums;
            for (const Neighbour& other : near)
                sums.push_back(SmallMatrix<double>::Zero(basis.n_orbitals(i), basis.n_orbitals(other.j)));
            for (std::size_t pole = 0; pole < inverses.size(); ++pole) {
                const Complex* g = inverses[pole].data();
                column.multiply(g);
                for (std::size_t at = 0; at < near.size(); ++at)
                    if (column.counts(near[at]))
                        sums[at] -= (weights(static_cast<Eigen::Index>(pole)) * column.pair(at, g)).real();
            }
            for (std::size_t at = 0; at < near.size(); ++at)
                if (column.counts(near[at]))
                    add_shells(basis, i, near[at].j, sums[at], entries[static_cast<std::size_t>(i)]);
        }
    }
    std::vector<Eigen::Triplet<double>> all;
    for (const auto& of_atom : entries) all.insert(all.end(), of_atom.begin(), of_atom.end());
    Eigen::SparseMatrix<double> result(basis.n_shells(), basis.n_shells());
    result.setFromTriplets(all.begin(), all.end());
    return result;
}

}  // namespace stembridge::tb
