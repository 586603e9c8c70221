// SPDX-License-Identifier: Apache-2.0
// From a history of charges and residuals to the next charges.
#pragma once

#include <Eigen/Dense>
#include <functional>
#include <memory>

#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::tb {

/// Model of the inverse of the dielectric matrix.
struct Preconditioner {
    std::function<Eigen::VectorXd(const Eigen::VectorXd&)> apply;  ///< to a residual; may be empty
    /// Part of x in which r may grow along a step, where the energy has a saddle behind: from there on what
    /// was seen before leads back. Zero = there is none.
    Eigen::Index first_spin = 0, n_spins = 0;
};

/// Finds x with r(x) = 0 from x and r = F(x) - x.
class ChargeMixer {
  public:
    virtual ~ChargeMixer() = default;
    /// The next x. @param precondition used by the mixers that can, may be empty
    virtual Eigen::VectorXd next(const Eigen::VectorXd& x, const Eigen::VectorXd& residual,
                                 const Preconditioner& precondition) = 0;
    /// Whether next() makes use of a preconditioner.
    virtual bool wants_preconditioner() const = 0;
};

/// @param step 0 = the mixer's own default
/// @source Anderson, J. ACM 12, 547 (1965); Johnson, Phys. Rev. B 38, 12807 (1988); Pulay, Chem. Phys. Lett.
/// 73, 393 (1980)
std::unique_ptr<ChargeMixer> make_mixer(Mixer kind, double step);

}  // namespace stembridge::tb
