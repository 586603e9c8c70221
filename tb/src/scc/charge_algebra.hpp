// SPDX-License-Identifier: Apache-2.0
// Charges as the vectors that they are.
#pragma once

#include "stembridge/tb/energy_term.hpp"

namespace stembridge::tb {

/// Charges, spins and on-site populations one after the other, as the mixer sees them.
inline Eigen::VectorXd joined(const Charges& q) {
    Eigen::VectorXd x(q.electrons.size() + q.spin.size() + q.on_site.size());
    x.head(q.electrons.size()) = q.electrons;
    x.segment(q.electrons.size(), q.spin.size()) = q.spin;
    x.tail(q.on_site.size()) = q.on_site;
    return x;
}

/// The opposite of joined(), with the sizes of `like`.
inline Charges split(const Eigen::VectorXd& x, const Charges& like) {
    return {x.head(like.electrons.size()), x.segment(like.electrons.size(), like.spin.size()),
            x.tail(like.on_site.size())};
}

inline Charges combined(const Charges& a, double factor, const Charges& b) {
    return {a.electrons + factor * b.electrons, a.spin + factor * b.spin, a.on_site + factor * b.on_site};
}

inline double dot(const Charges& a, const Charges& b) {
    return a.electrons.dot(b.electrons) + a.spin.dot(b.spin) + a.on_site.dot(b.on_site);
}

}  // namespace stembridge::tb
