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

}  // namespace

Eigen::SparseMatrix<double> near_response(const BlockMatrix& overlap,
                                          const std::vector<std::vector<Complex>>& inverses,
                                          const Eigen::VectorXcd& weights, double range) {
    // Overlaps beyond nearest neighbours change the result by little.
    constexpr double reach = 3.8;
    const Basis& basis = overlap.pattern().basis();
    const auto of = neighbours_of(overlap);
    const auto n_of = [&](int atom) { return basis.n_orbitals(atom); };
    const auto list = [&](int atom) -> const std::vector<Neighbour>& {
        return of[static_cast<std::size_t>(atom)];
    };
    std::vector<std::vector<Eigen::Triplet<double>>> entries(static_cast<std::size_t>(basis.n_atoms()));
#pragma omp parallel
    {
        // Column i of G S on the neighbours of i, and where they stand in it.
        std::vector<SmallMatrix<Complex>> column;
        std::vector<int> place(static_cast<std::size_t>(basis.n_atoms()), -1);
#pragma omp for schedule(dynamic, 16)
        for (int i = 0; i < basis.n_atoms(); ++i) {
            const std::vector<Neighbour>& near = list(i);
            column.resize(near.size());
            std::vector<SmallMatrix<double>> sums;
            for (std::size_t k = 0; k < near.size(); ++k) {
                place[static_cast<std::size_t>(near[k].j)] = static_cast<int>(k);
                sums.push_back(SmallMatrix<double>::Zero(n_of(i), n_of(near[k].j)));
            }
            const auto in_column = [&](int atom) { return place[static_cast<std::size_t>(atom)]; };
            for (std::size_t pole = 0; pole < inverses.size(); ++pole) {
                const Complex* g = inverses[pole].data();
                const Complex w = -weights(static_cast<Eigen::Index>(pole));
                // (G S)_ki = sum_l G_kl S_li
                for (std::size_t k = 0; k < near.size(); ++k)
                    column[k] = SmallMatrix<Complex>::Zero(n_of(near[k].j), n_of(i));
                for (const Neighbour& l : near) {
                    if (l.distance > reach) continue;
                    const SmallMatrix<double> s = l.overlap.transpose();
                    for (const Neighbour& k : list(l.j))
                        if (in_column(k.j) >= 0 &&
                            near[static_cast<std::size_t>(in_column(k.j))].distance < range + reach)
                            add_product(g + k.offset, n_of(k.j), n_of(l.j), !k.transposed, s,
                                        column[static_cast<std::size_t>(in_column(k.j))]);
                }
                for (std::size_t at = 0; at < near.size(); ++at) {
                    const Neighbour& other = near[at];
                    const int j = other.j;
                    if (j < i || other.distance > range) continue;
                    // (G S)_ij and (S G S)_ji = sum_k S_jk (G S)_ki
                    SmallMatrix<Complex> back = SmallMatrix<Complex>::Zero(n_of(i), n_of(j)),
                                         both = SmallMatrix<Complex>::Zero(n_of(j), n_of(i));
                    for (const Neighbour& k : list(j)) {
                        if (k.distance > reach || in_column(k.j) < 0) continue;
                        const Neighbour& from = near[static_cast<std::size_t>(in_column(k.j))];
                        add_product(g + from.offset, n_of(i), n_of(k.j), from.transposed,
                                    k.overlap.transpose(), back);
                        both += k.overlap.lazyProduct(column[static_cast<std::size_t>(in_column(k.j))]);
                    }
                    SmallMatrix<Complex> here(n_of(i), n_of(j));
                    if (other.transposed)
                        here = Eigen::Map<const Eigen::MatrixXcd>(g + other.offset, n_of(j), n_of(i))
                                   .transpose();
                    else
                        here = Eigen::Map<const Eigen::MatrixXcd>(g + other.offset, n_of(i), n_of(j));
                    sums[at] += (w * (here.cwiseProduct(both.transpose()) +
                                      back.cwiseProduct(column[at].transpose())))
                                    .real();
                }
            }
            for (std::size_t at = 0; at < near.size(); ++at) {
                const int j = near[at].j;
                if (j < i || near[at].distance > range) continue;
                for (int a = basis.first_shell(i); a < basis.first_shell(i + 1); ++a)
                    for (int b = basis.first_shell(j); b < basis.first_shell(j + 1); ++b) {
                        const int la = a - basis.first_shell(i), lb = b - basis.first_shell(j);
                        const double chi = sums[at].block(la * la, lb * lb, 2 * la + 1, 2 * lb + 1).sum();
                        entries[static_cast<std::size_t>(i)].emplace_back(a, b, chi);
                        if (i != j) entries[static_cast<std::size_t>(i)].emplace_back(b, a, chi);
                    }
            }
            for (const Neighbour& k : near) place[static_cast<std::size_t>(k.j)] = -1;
        }
    }
    std::vector<Eigen::Triplet<double>> all;
    for (const auto& of_atom : entries) all.insert(all.end(), of_atom.begin(), of_atom.end());
    Eigen::SparseMatrix<double> result(basis.n_shells(), basis.n_shells());
    result.setFromTriplets(all.begin(), all.end());
    return result;
}

}  // namespace stembridge::tb
