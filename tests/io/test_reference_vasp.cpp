// SPDX-License-Identifier: Apache-2.0
// Every file of reference/vasp: the right numbers, or the right status. The expected numbers were taken from
// the files by a separate script (regular expressions over the text) and by eye, not by the reader under
// test.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "stembridge/base/errors.hpp"
#include "stembridge/base/units.hpp"
#include "stembridge/io/structure_file.hpp"
#include "stembridge/io/vasp_run.hpp"
#include "support/support.hpp"

using namespace stembridge;
using namespace stembridge::io;
namespace fs = std::filesystem;

namespace {

using enum VaspStatus;
constexpr std::nullopt_t none = std::nullopt;
using Number = std::optional<double>;

struct Expected {
    VaspStatus status;
    const char* version;
    std::optional<int> n_atoms;
    std::size_t n_steps;
    Number free_ev, zero_ev, max_force, temperature;
    const char* last_species;                                     ///< "" = the file names none
    std::optional<Eigen::Vector3d> last_position = std::nullopt;  ///< of the last atom, angstrom
};

Eigen::Vector3d at(double x, double y, double z) {
    return {x, y, z};
}

const std::map<std::string, Expected>& expected() {
    static const std::map<std::string, Expected> table = {
        {"aborted_niti_544/OSZICAR", {unfinished, "", none, 0, none, none, none, none, ""}},
        {"aborted_niti_544/OUTCAR", {unfinished, "5.4.4", 253, 0, none, none, none, none, "Ti"}},
        {"aborted_niti_544/POSCAR", {complete, "", 253, 1, none, none, none, none, "Ti"}},
        {"aborted_niti_544/XDATCAR", {unfinished, "", 253, 0, none, none, none, none, "Ti"}},
        {"aborted_niti_544/vasprun.xml", {unfinished, "5.4.4", 253, 0, none, none, none, none, "Ti"}},
        {"contcar_md_velocities/CONTCAR.MD", {complete, "", 50, 1, none, none, none, none, "S"}},
        {"cr_544_static/POSCAR-unitcell", {complete, "", 2, 1, none, none, none, none, "Cr"}},
        {"cr_544_static/vasprun.xml.xz",
         {complete, "5.4.4", 16, 1, -164.00238535, -163.97890938, 0.13352022, none, "Cr",
          at(4.21904542, 4.21904542, 4.21904542)}},
        {"md_nose_lips_541/OUTCAR",
         {complete, "5.4.1", 84, 10, -368.92647971, -368.92647971, 0.128437, 3.90, "S",
          at(13.13243, 8.29058, -4.41747)}},
        {"md_nose_si64_632/vasprun.md.xml.gz",
         {complete, "6.3.2", 64, 10, -327.76427636, -327.73014059, 2.8622033165, 1233.614928, "Si",
          at(6.93268549, 9.37971706, 9.74018805)}},
        {"md_oszicar_541/CONTCAR", {complete, "", 19, 1, none, none, none, none, "Ni"}},
        {"md_oszicar_541/OSZICAR_md", {complete, "", none, 36, -1218.5955, -1218.5161, none, 1812.0, ""}},
        // The header names the POTCAR; 0.136895 eV/angstrom over all atoms, 0.046234 is the program's own
        // "FORCES: max atom", which leaves the held ones out.
        {"md_oszicar_541/OUTCAR",
         {complete, "5.4.1", 36, 4, -207.33727529, -207.33064228, 0.046234, none, "Pt",
          at(5.83619, 2.25976, 6.88358)}},
        {"md_oszicar_541/POSCAR", {complete, "", 36, 1, none, none, none, none, "Pt"}},
        {"md_oszicar_541/XDATCAR",
         {complete, "", 10, 82, none, none, none, none, "O", at(7.1404810, 5.0125842, 5.7179080)}},
        {"merged_numbers/OUTCAR_merged_numbers",
         {complete, "5.4.4", 2, 1, -13.93295368, -13.93295368, 0.0, none, "O",
          at(2.32749, 2.32749, 2.32749)}},
        {"overflow_52/vasprun.sc_overflow.xml.gz",
         {complete, "5.2.2", 25, 29, -269.38319884, -269.38319884, 0.1053059914, none, "O",
          at(9.46888613, 1.44607218, 1.75192814)}},
        {"poscar_graphene/POSCAR-667.vasp", {complete, "", 2, 1, none, none, none, none, "C"}},
        {"poscar_neg_scale_vasp4/POSCAR", {complete, "", 24, 1, none, none, none, none, "O"}},
        {"poscar_neg_scale_vasp4/POSCAR_C2", {complete, "", 2, 1, none, none, none, none, "C", at(0, 0, 0)}},
        {"poscar_neg_scale_vasp4/POSCAR_tricky_symmetry",
         {complete, "", 34, 1, none, none, none, none, "Mn"}},
        {"poscar_pyiron/CONTCAR_Mg", {complete, "", 5, 1, none, none, none, none, "Mg"}},
        {"poscar_pyiron/POSCAR_diff_species",
         {complete, "", 3, 1, none, none, none, none, "Al", at(3.1131124744, 5.3920363513, 12.0213927741)}},
        {"poscar_pyiron/POSCAR_metadyn",
         {complete, "", 6, 1, none, none, none, none, "Cl", at(6.94989468, 6.22738992, 4.35302088)}},
        {"poscar_pyiron/POSCAR_random", {complete, "", 33, 1, none, none, none, none, "H"}},
        {"poscar_pyiron/POSCAR_scaled",
         {complete, "", 256, 1, none, none, none, none, "Cu", at(12.705, 12.705, 10.89)}},
        {"relax_cu_541_d3/OUTCAR.etest3.gz",
         {complete, "5.4.1", 1, 9, -15.92106087, -15.89355325, 0.0, none, "Cu"}},
        {"relax_cu_541_d3/vasprun.etest3.xml.gz",
         {complete, "5.4.1", 1, 9, -15.92106087, -15.89355324, 0.0, none, "Cu", at(0, 0, 0)}},
        {"relax_cu_541_no_vdw/OUTCAR.etest1.gz",
         {complete, "5.4.1", 1, 8, -11.217323, -11.18981538, 0.0, none, "Cu"}},
        {"relax_cu_541_no_vdw/vasprun.etest1.xml.gz",
         {complete, "5.4.1", 1, 8, -11.217323, -11.18981538, 0.0, none, "Cu"}},
        {"relax_li_5212/OUTCAR", {complete, "5.2.12", 1, 3, -1.924600, -1.924600, 0.0, none, "Li"}},
        {"relax_li_5212/vasprun.xml.gz",
         {complete, "5.2.12", 1, 3, -1.92459954, -1.92459954, 0.0, none, "Li"}},
        {"relax_not_converged_aiida/CONTCAR", {complete, "", 2, 1, none, none, none, none, "Si"}},
        {"relax_not_converged_aiida/OUTCAR",
         {not_converged, "5.4.4", 2, 5, -10.5373184, -10.53701997, 2.3619122, none, "Si",
          at(2.35902, 2.64468, 2.70524)}},
        {"relax_not_converged_aiida/POSCAR", {complete, "", 2, 1, none, none, none, none, "Si"}},
        {"relax_not_converged_aiida/vasprun.xml",
         {not_converged, "5.4.4", 2, 5, -10.5373184, -10.53701997, 2.3619116356, none, "Si",
          at(2.35902127, 2.64468449, 2.70524209)}},
        {"relax_si_541/CONTCAR", {complete, "", 2, 1, none, none, none, none, "Si"}},
        {"relax_si_541/OSZICAR", {complete, "", none, 3, -10.846716, -10.846716, none, none, ""}},
        {"relax_si_541/OUTCAR",
         {complete, "5.4.1", 2, 3, -10.84671647, -10.84671647, 0.0, none, "Si", at(3.86742, 0, 2.3683)}},
        {"relax_si_541/POSCAR", {complete, "", 2, 1, none, none, none, none, "Si"}},
        {"relax_si_541/XDATCAR", {complete, "", 2, 3, none, none, none, none, "Si"}},
        {"relax_si_541/vasprun.xml",
         {complete, "5.4.1", 2, 3, -10.84671647, -10.84671647, 0.0, none, "Si",
          at(3.86742209, 0.00000152, 2.36830304)}},
        {"relax_si_541_charged_gz/vasprun.charged.xml.gz",
         {complete, "5.4.1", 2, 5, -6.64614553, -6.64614553, 0.0, none, "Si",
          at(4.99159099, 2.395e-06, 3.05671339)}},
        {"relax_spin_620_magmom/CONTCAR", {complete, "", 1, 1, none, none, none, none, "Si"}},
        // NSW = 5 steps used up, EDIFFG = 1e-8, no "reached required accuracy".
        {"relax_spin_620_magmom/OUTCAR",
         {not_converged, "6.2.0", 1, 5, -1.97479978, -1.97252333, 0.0, none, "Si"}},
        {"relax_spin_620_magmom/vasprun.xml",
         {not_converged, "6.2.0", 1, 5, -1.97479978, -1.97252333, 0.0, none, "Si"}},
        {"selective_al16h4n20_46/vasprun_1.xml",
         {complete, "4.6.28", 40, 4, -179.58411663, -179.5803976, 0.0099845308, none, "N",
          at(4.15778786, 2.40049995, 10.28963912)}},
        {"spin_fe_monomer_541/OUTCAR",
         {complete, "5.4.1", 1, 1, 711.33751372, 711.33751372, 0.0, none, "Fe"}},
        {"spin_fe_monomer_541/vasprun.xml.gz",
         {complete, "5.4.1", 1, 1, 711.33751372, 711.33751372, 0.0, none, "Fe"}},
        {"truncated_52/vasprun.bad.xml.gz",
         {unfinished, "5.2.2", 25, 1, -269.00551374, -269.00551374, 2.2473653497, none, "O",
          at(9.51303455, 1.43510586, 1.73069121)}},
        {"truncated_relax_541/vasprun.xml",
         {unfinished, "5.4.1", 8, 18, -43.39066158, -43.39044584, 0.02239007, none, "Si",
          at(4.06653799, 4.09553953, 1.36163059)}},
        {"truncated_unfinished_544/CONTCAR", {malformed, "", none, 0, none, none, none, none, ""}},
        {"truncated_unfinished_544/OUTCAR", {unfinished, "5.4.4", 2, 0, none, none, none, none, "Si"}},
        {"truncated_unfinished_544/POSCAR", {complete, "", 2, 1, none, none, none, none, "Si"}},
        {"truncated_unfinished_544/vasprun.xml", {unfinished, "5.4.4", 2, 0, none, none, none, none, "Si"}},
        {"xdatcar_formats/XDATCAR.bad_fmt.gz", {complete, "", 7, 3, none, none, none, none, "O"}},
        {"xdatcar_formats/XDATCAR_4", {complete, "", 3, 4, none, none, none, none, "O", at(0, 0, 0)}},
        {"xdatcar_formats/XDATCAR_5", {complete, "", 3, 4, none, none, none, none, "O", at(0, 0, 0)}},
        {"xdatcar_formats/XDATCAR_monatomic.gz", {complete, "", 4, 10, none, none, none, none, "Ne"}},
        {"xdatcar_formats/XDATCAR_traj",
         {complete, "", 76, 100, none, none, none, none, "Si",
          at(0.881257 * 10.805799, 0.565634 * 10.805799, 0.120159 * 10.805799)}},
        {"xdatcar_nacl_nblock50/NaCl_800K_MD_XDATCAR",
         {complete, "", 216, 40, none, none, none, none, "Cl",
          at(0.83204200 * 16.9206, 0.83640607 * 16.9206, 0.84072632 * 16.9206)}},
        {"xdatcar_si64/POSCAR", {complete, "", 8, 1, none, none, none, none, "Si"}},
        {"xdatcar_si64/XDATCAR",
         {complete, "", 64, 15, none, none, none, none, "Si",
          at(0.81140928 * 10.9, 0.81408227 * 10.9, 0.56447508 * 10.9)}},
    };
    return table;
}

bool equal(const Number& value, const Number& wanted, double tolerance) {
    if (!wanted) return !value;
    return value && std::abs(*value - *wanted) <= tolerance;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(test_reference_vasp)

BOOST_AUTO_TEST_CASE(every_file_gives_its_numbers_or_its_status) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    for (const auto& [name, e] : expected()) {
        BOOST_TEST_CONTEXT(name) {
            const VaspRun run = read_vasp(reference / "vasp" / name);
            BOOST_TEST(io::name(run.status) == io::name(e.status), run.problem);
            BOOST_TEST(run.version == e.version);
            BOOST_TEST((run.n_atoms == e.n_atoms));
            BOOST_TEST(run.steps.size() == e.n_steps);
            BOOST_TEST((run.species.empty() ? "" : run.species.back()) == e.last_species);
            if (run.steps.empty()) continue;
            const VaspStep& last = run.steps.back();
            // Energies have 8 digits and E0 is a sum of three of them; OSZICAR has 8 significant ones. Forces
            // have 6 digits in OUTCAR, its temperature 2; positions 5.
            BOOST_TEST(equal(last.energy_free_ev, e.free_ev, 2e-8), "F " << last.energy_free_ev.value_or(0));
            BOOST_TEST(equal(last.energy_zero_ev, e.zero_ev, 3e-8), "E0 " << last.energy_zero_ev.value_or(0));
            const auto force = max_free_force(run, last);
            BOOST_TEST(equal(force, e.max_force, 1e-6), "force " << force.value_or(-1));
            BOOST_TEST(equal(last.temperature_k, e.temperature, 0.02),
                       "T " << last.temperature_k.value_or(-1));
            if (e.last_position) {
                const double distance = (last.positions_angstrom.rightCols(1) - *e.last_position).norm();
                BOOST_TEST(distance < 1e-5);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(no_file_is_left_out) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    for (const auto& entry : fs::recursive_directory_iterator(reference / "vasp")) {
        const std::string name = fs::relative(entry.path(), reference / "vasp").string();
        const std::string file = entry.path().filename().string();
        if (!entry.is_regular_file() || name.starts_with("LICENSES") || file == "SOURCES.md" ||
            file == "INCAR" || file == "KPOINTS")
            continue;
        BOOST_TEST(expected().contains(name), name);
    }
}

BOOST_AUTO_TEST_CASE(the_dispersion_of_the_copper_run_is_noticed) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    for (const char* file : {"relax_cu_541_d3/vasprun.etest3.xml.gz", "relax_cu_541_d3/OUTCAR.etest3.gz"}) {
        const VaspRun run = read_vasp(reference / "vasp" / file);
        BOOST_TEST(run.has_dispersion(), file);
        // F of the step minus F of its last electronic step, both printed.
        BOOST_TEST(std::abs(*run.steps.back().offset_ev - (-15.92106087 + 15.03678270)) < 2e-8);
    }
    BOOST_TEST(!read_vasp(reference / "vasp" / "relax_cu_541_no_vdw" / "OUTCAR.etest1.gz").has_dispersion());
    BOOST_TEST(
        !read_vasp(reference / "vasp" / "relax_cu_541_no_vdw" / "vasprun.etest1.xml.gz").has_dispersion());
}

BOOST_AUTO_TEST_CASE(the_dynamics_starts_at_its_temperature_and_keeps_its_constant_of_motion) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const VaspRun run = read_vasp(reference / "vasp" / "md_nose_si64_632" / "vasprun.md.xml.gz");
    // TEBEG = 2000; the note of the data gives 2000.01 K from 3 N - 3.
    BOOST_TEST(std::abs(*run.steps.front().temperature_k - 2000.014) < 0.01);
    BOOST_TEST(*run.steps.back().conserved_ev == -321.92482013);
}

BOOST_AUTO_TEST_CASE(the_overflowed_force_of_an_early_step_is_missing_there_only) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const VaspRun run = read_vasp(reference / "vasp" / "overflow_52" / "vasprun.sc_overflow.xml.gz");
    int missing = 0;
    for (const VaspStep& step : run.steps)
        missing += static_cast<int>((!step.forces_ev_per_angstrom.array().isFinite()).count());
    BOOST_TEST(missing == 1);
    BOOST_TEST(run.steps.back().forces_ev_per_angstrom.allFinite());
}

BOOST_AUTO_TEST_CASE(folders_are_read_by_their_best_file) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const fs::path vasp = reference / "vasp";
    BOOST_TEST((read_vasp(vasp / "relax_si_541").kind == VaspRun::Kind::vasprun));
    BOOST_TEST((read_vasp(vasp / "selective_al16h4n20_46").steps.size() == 4u));
    BOOST_TEST((read_vasp(vasp / "merged_numbers").kind == VaspRun::Kind::outcar));
    BOOST_TEST((read_vasp(vasp / "truncated_unfinished_544").status == unfinished));
    // Several XDATCARs: none is chosen by chance.
    BOOST_CHECK_THROW(read_vasp(vasp / "xdatcar_formats"), InputError);
}

BOOST_AUTO_TEST_CASE(velocities_of_a_contcar_are_read_with_the_predictor_block_behind_them) {
    STEMBRIDGE_REQUIRE_REFERENCE(reference);
    const testing::TemporaryFolder folder;
    const Structure structure = read_structure(reference / "vasp" / "contcar_md_velocities" / "CONTCAR.MD");
    BOOST_TEST(structure.size() == 50);
    BOOST_TEST(structure.velocities.cols() == 50);
}

BOOST_AUTO_TEST_SUITE_END()
