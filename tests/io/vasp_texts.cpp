// SPDX-License-Identifier: Apache-2.0
#include "io/vasp_texts.hpp"

#include <fmt/format.h>

namespace stembridge::testing {

std::string vasprun_head(const VasprunText& t) {
    return "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<modeling>\n <generator>\n"
           "  <i name=\"program\" type=\"string\">vasp </i>\n  <i name=\"version\" type=\"string\">" +
           t.version +
           "  </i>\n </generator>\n <incar>\n </incar>\n <parameters>\n  <separator name=\"ionic\">" +
           t.parameters +
           "</separator>\n </parameters>\n"
           " <atominfo>\n  <atoms> 2 </atoms>\n  <types> 1 </types>\n  <array name=\"atoms\" >\n   <set>\n"
           "    <rc><c>C </c><c>   1</c></rc>\n    <rc><c>C </c><c>   1</c></rc>\n   </set>\n  </array>\n"
           "  <array name=\"atomtypes\" ><set><rc><c>2</c><c>C </c><c>12.0</c><c>4.0</c>"
           "<c> PAW_PBE C 08Apr2002 </c></rc></set></array>\n </atominfo>\n"
           " <structure name=\"initialpos\" >\n  <crystal>\n   <varray name=\"basis\" >\n"
           "    <v> 2.0 0.0 0.0 </v>\n    <v> 0.0 3.0 0.0 </v>\n    <v> 0.0 0.0 10.0 </v>\n   </varray>\n"
           "  </crystal>\n  <varray name=\"positions\" >\n   <v> 0.0 0.0 0.0 </v>\n   <v> 0.5 0.5 0.1 </v>\n"
           "  </varray>\n" +
           t.selective + " </structure>\n";
}

std::string vasprun_step(const VasprunText& t, double free_energy, const std::string& forces_0,
                         const std::string& forces_1) {
    // Smearing of 0.02 eV: E = F + 0.02, E0 = F + 0.01; up to 6.0.8 the block of the step is shifted.
    const double scf = free_energy - t.offset;
    std::string text = " <calculation>\n";
    for (int i = t.scf_steps; i > 0; --i)
        text += fmt::format(
            "  <scstep>\n   <time name=\"total\">38919.7238932.60</time>\n   <energy>\n"
            "    <i name=\"e_fr_energy\"> {:.8f} </i>\n    <i name=\"e_wo_entrp\"> {:.8f} </i>\n"
            "    <i name=\"e_0_energy\"> {:.8f} </i>\n   </energy>\n  </scstep>\n",
            scf + i - 1, scf + i - 1 + 0.02, scf + i - 1 + 0.01);
    const bool shifted = t.version < "6.1";
    text += fmt::format(
        "  <structure>\n   <crystal>\n    <varray name=\"basis\" >\n     <v> 2.0 0.0 0.0 </v>\n"
        "     <v> 0.0 3.0 0.0 </v>\n     <v> 0.0 0.0 10.0 </v>\n    </varray>\n   </crystal>\n"
        "   <varray name=\"positions\" >\n    <v> 0.0 0.0 0.0 </v>\n    <v> 0.5 0.5 0.1 </v>\n   </varray>\n"
        "  </structure>\n  <varray name=\"forces\" >\n   <v> {} </v>\n   <v> {} </v>\n  </varray>\n"
        "  <varray name=\"stress\" >\n   <v> 1.0 0.5 0.0 </v>\n   <v> 0.5 2.0 0.0 </v>\n   <v> 0.0 0.0 3.0 "
        "</v>\n"
        "  </varray>\n  <energy>\n   <i name=\"e_fr_energy\"> {:.8f} </i>\n   <i name=\"e_wo_entrp\"> {:.8f} "
        "</i>\n"
        "   <i name=\"e_0_energy\"> {:.8f} </i>\n{}  </energy>\n </calculation>\n",
        forces_0, forces_1, free_energy, shifted ? free_energy + 0.01 : free_energy + 0.02,
        shifted ? -0.02 : free_energy + 0.01, t.extra_energies);
    return text;
}

std::string vasprun_tail() {
    return " <structure name=\"finalpos\" >\n  <crystal/>\n </structure>\n</modeling>\n";
}

std::string outcar_head(const std::string& more) {
    return " vasp.5.4.4.18Apr17-6-g9f103f2a35 (build Feb 19 2020 16:12:31) complex\n"
           "   VRHFIN =C: s2p2\n   TITEL  = PAW_PBE C 08Apr2002\n"
           "   number of dos      NEDOS =    301   number of ions     NIONS =      2\n"
           "   ions per type =               2\n"
           "   NELM   =     60;   NELMIN=  2; NELMDL= -5     # of ELM steps\n"
           "   EDIFFG = -.1E-01   stopping-criterion for IOM\n"
           "   NSW    =      5    number of steps for IOM\n"
           "   IBRION =      2    ionic relax: 0-MD 1-quasi-New 2-CG\n"
           "   ISIF   =      2    stress and relaxation\n   POTIM  = 0.5000    time-step for ionic-motion\n" +
           more;
}

std::string outcar_step(int number, const std::string& row_1, const std::string& free_energy) {
    return fmt::format(
        "--------------------------------------- Iteration {:6d}(   1)  "
        "---------------------------------------\n"
        "  free energy    TOTEN  =       -10.00000000 eV\n\n"
        "  energy without entropy =      -10.00000000  energy(sigma->0) =      -10.00000000\n"
        "------------------------ aborting loop because EDIFF is reached ------------------------\n"
        "  in kB  -12353.08821-12353.08821   213.36307     1.00000     2.00000     3.00000\n"
        "      direct lattice vectors                 reciprocal lattice vectors\n"
        "     2.000000000  0.000000000  0.000000000     0.500000000  0.000000000  0.000000000\n"
        "     0.000000000  3.000000000  0.000000000     0.000000000  0.333333333  0.000000000\n"
        "     0.000000000-12.000000000 10.000000000     0.000000000  0.000000000  0.100000000\n"
        " POSITION                                       TOTAL-FORCE (eV/Angst)\n"
        " -----------------------------------------------------------------------------------\n"
        "      0.00000      0.00000      0.00000         0.000000      0.000000      0.000000\n"
        "{}\n"
        " -----------------------------------------------------------------------------------\n"
        "    total drift:                                0.000000      0.000000      0.000000\n"
        "  free  energy   TOTEN  =  {} eV\n\n"
        "  energy  without entropy=       -9.98000000  energy(sigma->0) =       -9.99000000\n",
        number, row_1, free_energy);
}

std::string outcar_tail(bool converged) {
    return std::string(converged ? " reached required accuracy - stopping structural energy minimisation\n"
                                 : "") +
           " General timing and accounting informations for this job:\n";
}

std::string xdatcar(const std::vector<double>& fractions, bool header_each_time, int stride) {
    const std::string header = "a crystal\n  2.0\n 5 0 0\n 0 5 0\n 0 0 5\n  C\n  1\n";
    std::string text = header_each_time ? "" : header;
    for (std::size_t i = 0; i < fractions.size(); ++i)
        text += (header_each_time ? header : "") +
                fmt::format("Direct configuration= {:5d}\n {:.8f} 0.25000000 0.50000000\n",
                            stride * (static_cast<int>(i) + 1), fractions[i]);
    return text;
}

}  // namespace stembridge::testing
