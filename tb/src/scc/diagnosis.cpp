// SPDX-License-Identifier: Apache-2.0
#include "scc/diagnosis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "stembridge/base/units.hpp"

namespace stembridge::tb {

std::string diagnose(const Basis& basis, const Sites& sites, const Charges& in, const Charges& out,
                     const std::vector<double>& errors, double gap, double kT, double asked_kT) {
    // How the error went over the last cycles.
    const std::size_t n = errors.size(), window = std::min<std::size_t>(n, 10);
    const double first = errors[n - window], last = errors[n - 1];
    std::size_t rises = 0;
    for (std::size_t k = n - window + 1; k < n; ++k) rises += errors[k] > errors[k - 1];
    const char* course =
        last < 0.3 * first ? "the error was still falling: allow more iterations"
        : last > 3 * first ? "the error grows: a smaller scc.mixing or another scc.mixer may help"
        : rises > 1        ? "the error oscillates: electrons change between levels of nearly equal energy"
                           : "the error stagnates";

    Eigen::VectorXd change = Eigen::VectorXd::Zero(basis.n_atoms());
    for (int s = 0; s < sites.size(); ++s) {
        double& c = change(sites.atom[static_cast<std::size_t>(s)]);
        c = std::max(c, std::abs(out.electrons(s) - in.electrons(s)));
    }
    std::vector<int> order(static_cast<std::size_t>(basis.n_atoms()));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return change(a) > change(b); });
    std::string worst;
    for (std::size_t k = 0; k < std::min<std::size_t>(3, order.size()); ++k)
        worst += fmt::format("{}{}{} ({:.1e} e)", k == 0 ? "" : ", ", basis.element(order[k]).symbol,
                             order[k] + 1, change(order[k]));
    const std::string advice =
        kT > asked_kT
            ? fmt::format(
                  "raising the electronic temperature from {:.0f} K did not help: check the structure "
                  "for atoms that are too close or too far",
                  asked_kT / units::kelvin)
            : std::string("a higher electronic temperature is the usual remedy");
    return fmt::format(
        "{}; gap at the Fermi level {:.4f} eV at an electronic temperature of {:.0f} K; least settled atoms: "
        "{}; {}",
        course, gap / units::electronvolt, kT / units::kelvin, worst, advice);
}

}  // namespace stembridge::tb
