// SPDX-License-Identifier: Apache-2.0
#include "scc/spin_modes.hpp"

#include <Spectra/SymEigsSolver.h>
#include <algorithm>
#include <vector>

namespace stembridge::tb {
namespace {

/// sqrt(-W), block by block.
Eigen::SparseMatrix<double> root_of(const Eigen::SparseMatrix<double>& spin) {
    std::vector<Eigen::Triplet<double>> entries;
    const Eigen::Index n = spin.rows();
    for (Eigen::Index first = 0, last = 0; first < n; first = last) {
        for (last = first + 1; last < n && spin.coeff(first, last) != 0;) ++last;
        const Eigen::Index size = last - first;
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> w(
            -Eigen::MatrixXd(spin.block(first, first, size, size)));
        const Eigen::MatrixXd root = w.eigenvectors() * w.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal() *
                                     w.eigenvectors().transpose();
        for (Eigen::Index j = 0; j < size; ++j)
            for (Eigen::Index i = 0; i < size; ++i) entries.emplace_back(first + i, first + j, root(i, j));
    }
    Eigen::SparseMatrix<double> result(n, n);
    result.setFromTriplets(entries.begin(), entries.end());
    return result;
}

/// -sqrt(-W) chi sqrt(-W) of the spins, as Spectra calls it. Its eigenvalues above 1 are those of Stoner's
/// criterion for charges that stay.
class StonerProduct {
  public:
    using Scalar = double;
    StonerProduct(const Response& chi, const Eigen::SparseMatrix<double>& root)
        : chi_(chi), root_(root), local_(chi.local.bottomRightCorner(root.rows(), root.rows())) {}
    Eigen::Index rows() const { return root_.rows(); }
    Eigen::Index cols() const { return rows(); }
    /// chi of the spins alone. @param x (spins, any)
    Eigen::MatrixXd chi(const Eigen::MatrixXd& x) const {
        const Eigen::Index n = rows();
        Eigen::MatrixXd result = local_ * x;
        if (chi_.dense.size() > 0) result.noalias() += chi_.dense.bottomRightCorner(n, n) * x;
        for (const Eigen::VectorXd& d : chi_.levels)
            result.noalias() += d.tail(n) * (d.tail(n).transpose() * x);
        return result;
    }
    void perform_op(const double* x, double* y) const {
        Eigen::Map<Eigen::VectorXd>(y, rows()) =
            -(root_ * chi(root_ * Eigen::Map<const Eigen::VectorXd>(x, rows())));
    }

  private:
    const Response& chi_;
    const Eigen::SparseMatrix<double>& root_;
    Eigen::SparseMatrix<double> local_;
};

/// Eigenvalues of Stoner's product and their vectors, of large systems the largest only.
struct Eigenpairs {
    Eigen::VectorXd values;
    Eigen::MatrixXd vectors;
};

Eigenpairs eigenpairs(StonerProduct stoner) {
    constexpr int few = 100, most = 30, most_restarts = 10;
    constexpr double tolerance = 1e-2;
    const Eigen::Index n = stoner.rows();
    if (n <= few) {
        Eigen::MatrixXd all(n, n);
        for (Eigen::Index k = 0; k < n; ++k)
            stoner.perform_op(Eigen::VectorXd(Eigen::VectorXd::Unit(n, k)).data(), all.col(k).data());
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(0.5 * (all + all.transpose()));
        return {solver.eigenvalues(), solver.eigenvectors()};
    }
    Spectra::SymEigsSolver<StonerProduct> solver(stoner, most, 2 * most + 10);
    solver.init();
    // Modes that are not told apart after some restarts are many and ordinary.
    solver.compute(Spectra::SortRule::LargestAlge, most_restarts, tolerance);
    return {solver.eigenvalues(), solver.eigenvectors()};
}

/// Modes of the spins that gain more than a part of what they cost, (spins, modes).
Eigen::MatrixXd soft_modes(const StonerProduct& stoner, const Eigen::SparseMatrix<double>& root) {
    constexpr double soft = 0.6;
    const Eigenpairs pairs = eigenpairs(stoner);
    Eigen::MatrixXd modes(stoner.rows(), 0);
    for (Eigen::Index k = 0; k < pairs.values.size(); ++k) {
        if (pairs.values(k) < soft) continue;
        modes.conservativeResize(Eigen::NoChange, modes.cols() + 1);
        modes.rightCols(1) = pairs.vectors.col(k);
    }
    return -stoner.chi(root * modes);
}

}  // namespace

SpinModes::SpinModes(const Response& chi, const Eigen::SparseMatrix<double>& spin,
                     const Eigen::PartialPivLU<Eigen::MatrixXd>& dielectric, double longest) {
    const Eigen::SparseMatrix<double> root = root_of(spin);
    const Eigen::MatrixXd start = soft_modes(StonerProduct(chi, root), root);
    if (start.cols() == 0) return;
    // Charges follow the spins: Rayleigh and Ritz with the spins' part of (1 - chi K)^-1, which is symmetric
    // in the inner product of -W.
    Eigen::MatrixXd answers = Eigen::MatrixXd::Zero(dielectric.rows(), start.cols());
    answers.bottomRows(spin.rows()) = start;
    answers = dielectric.solve(answers).eval();
    const Eigen::MatrixXd along = -(spin * start);
    const Eigen::MatrixXd inverse = along.transpose() * answers.bottomRows(spin.rows());
    const Eigen::GeneralizedSelfAdjointEigenSolver<Eigen::MatrixXd> modes(
        0.5 * (inverse + inverse.transpose()), along.transpose() * start);
    if (modes.info() != Eigen::Success) return;
    const Eigen::ArrayXd mu = modes.eigenvalues();  // 1/lambda
    along_ = along * modes.eigenvectors();
    answers_ = answers * modes.eigenvectors();
    // By Sherman, Morrison and Woodbury, lambda becomes 1 / min(|1/lambda|, longest) in 1 - chi K.
    factor_ = (mu.abs().min(longest) / mu - 1) / mu;
}

void SpinModes::mend(Eigen::VectorXd& step) const {
    if (factor_.size() == 0) return;
    const Eigen::VectorXd along = along_.transpose() * step.tail(along_.rows());
    step.noalias() += answers_ * factor_.cwiseProduct(along);
}

}  // namespace stembridge::tb
