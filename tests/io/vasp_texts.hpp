// SPDX-License-Identifier: Apache-2.0
// Small files as VASP writes them, for the tests.
#pragma once

#include <string>
#include <vector>

namespace stembridge::testing {

/// What varies in a vasprun.xml of two carbon atoms in a cell of 2 x 3 x 10 angstrom.
struct VasprunText {
    std::string version = "6.4.2";
    std::string parameters =
        "<i type=\"int\" name=\"NSW\">3</i><i type=\"int\" name=\"IBRION\">2</i>"
        "<i type=\"int\" name=\"ISIF\">2</i><i type=\"int\" name=\"NELM\">60</i>"
        "<i name=\"EDIFFG\">-0.01000000</i>";
    std::string selective;       ///< varray, or empty
    double offset = 0;           ///< dispersion, in the energies of the step only
    std::string extra_energies;  ///< kinetic and so on
    int scf_steps = 3;
};

/// Everything before the first <calculation>.
std::string vasprun_head(const VasprunText& t = {});
/// One <calculation>. @param forces six numbers as text
std::string vasprun_step(const VasprunText& t, double free_energy, const std::string& forces_0,
                         const std::string& forces_1);
/// What closes the file.
std::string vasprun_tail();

/// One ionic step of an OUTCAR. @param row_1 second row of the table of positions and forces
std::string outcar_step(int number, const std::string& row_1, const std::string& free_energy);
std::string outcar_head(const std::string& more = "");
std::string outcar_tail(bool converged);

/// XDATCAR with these frames of one atom, at fractions along the first vector of a 10 angstrom cube.
std::string xdatcar(const std::vector<double>& fractions, bool header_each_time, int stride);

}  // namespace stembridge::testing
