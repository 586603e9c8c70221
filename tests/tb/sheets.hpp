// SPDX-License-Identifier: Apache-2.0
// Sheets, flakes and their matrices for the tests of density matrices.
#pragma once

#include <memory>
#include <vector>

#include "stembridge/structure/structure.hpp"
#include "stembridge/tb/density_solver.hpp"
#include "stembridge/tb/electronic_state.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::testing {

/// The shipped parameters.
tb::SccDftbOptions builtin_options();
/// The same, dense, without self-consistency.
tb::SccDftbOptions builtin();
/// Round flake without its hydrogen, so that it is metallic, rattled, with atoms left out and one of them Si.
/// @param rattle angstrom
Structure ragged_flake(double radius_angstrom, double rattle, const std::vector<int>& vacancies = {});
/// Periodic sheet of carbon and silicon in turn, which opens a gap; 2 repeats^2 atoms.
Structure gapped_sheet(int repeats);
/// Periodic sheet of graphene of 4 nx ny atoms without one of them, rattled. @param rattle angstrom
Structure sheet_with_vacancy(int nx, int ny, double rattle);
Structure benzene();
/// H and S of a structure at neutral charges.
std::unique_ptr<tb::ElectronicState> matrices(const Structure& s);
tb::Electrons neutral(const tb::ElectronicState& m, double kelvin);
/// Largest difference of two values.
double difference(const tb::BlockMatrix& a, const tb::BlockMatrix& b);

}  // namespace stembridge::testing
