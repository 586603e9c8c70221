// SPDX-License-Identifier: Apache-2.0
#include "rigid_motion.hpp"

#include <algorithm>
#include <cmath>

namespace stembridge::md {
namespace {

Eigen::Matrix3Xd from_center_of_mass(const Eigen::Matrix3Xd& positions, const Eigen::VectorXd& masses) {
    return positions.colwise() - Eigen::Vector3d(positions * masses / masses.sum());
}

/// Solves I omega = L; a rotation about the axis of a linear molecule is none.
struct Inertia {
    Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> axes;
    double smallest;

    Inertia(const Eigen::Matrix3Xd& r, const Eigen::VectorXd& masses) {
        const Eigen::Matrix3d m_rr = r * masses.asDiagonal() * r.transpose();
        axes.compute(m_rr.trace() * Eigen::Matrix3d::Identity() - m_rr);
        smallest = 1e-8 * axes.eigenvalues().maxCoeff();
    }
    Eigen::Vector3d omega(const Eigen::Vector3d& angular_momentum) const {
        Eigen::Vector3d along = axes.eigenvectors().transpose() * angular_momentum;
        for (int k = 0; k < 3; ++k)
            along(k) = axes.eigenvalues()(k) > smallest ? along(k) / axes.eigenvalues()(k) : 0;
        return axes.eigenvectors() * along;
    }
};

}  // namespace

RigidMotion::RigidMotion(const Structure& structure, bool hold_center_of_mass, bool hold_rotation)
    : masses_(structure.masses()) {
    const auto anything_fixed = [&](int axis) {
        return structure.fixed.cols() != 0 && structure.fixed.row(axis).any();
    };
    for (int axis = 0; axis < 3; ++axis)
        translation_[static_cast<std::size_t>(axis)] = hold_center_of_mass && !anything_fixed(axis);
    const bool free_cluster = !structure.cell.is_periodic() && !anything_fixed(0) && !anything_fixed(1) &&
                              !anything_fixed(2) && structure.size() > 1;
    if (hold_rotation && free_cluster)
        rotations_ =
            structure.size() == 2 ? 2 : 3;  // also of molecules that are linear in the beginning: they bend
}

int RigidMotion::count() const {
    return static_cast<int>(std::count(translation_.begin(), translation_.end(), true)) + rotations_;
}

void RigidMotion::remove(const Eigen::Matrix3Xd& positions, Eigen::Matrix3Xd& velocities) const {
    const Eigen::Vector3d drift = velocities * masses_ / masses_.sum();
    if (rotations_ > 0) {
        // omega = I^-1 sum m r x v, then v <- v - omega x r
        const Eigen::Matrix3Xd r = from_center_of_mass(positions, masses_);
        Eigen::Vector3d angular_momentum = Eigen::Vector3d::Zero();
        for (Eigen::Index i = 0; i < r.cols(); ++i)
            angular_momentum += masses_(i) * r.col(i).cross(velocities.col(i));
        const Eigen::Vector3d omega = Inertia(r, masses_).omega(angular_momentum);
        for (Eigen::Index i = 0; i < r.cols(); ++i) velocities.col(i) -= omega.cross(r.col(i));
    }
    for (int axis = 0; axis < 3; ++axis)
        if (translation_[static_cast<std::size_t>(axis)]) velocities.row(axis).array() -= drift(axis);
}

}  // namespace stembridge::md
