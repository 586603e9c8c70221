// SPDX-License-Identifier: Apache-2.0
// OUTCAR of VASP 5 and 6.
#include <fmt/format.h>

#include <algorithm>

#include "structure/text.hpp"
#include "vasp/numbers.hpp"
#include "vasp/readers.hpp"

namespace stembridge::io {
namespace {

constexpr int most_ions = 1'000'000;

/// What stands behind a key in a line, if the key is there.
std::optional<std::string_view> after(std::string_view line, std::string_view key) {
    const std::size_t at = line.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    return line.substr(at + key.size());
}

/// Reads line by line; `partial_` collects a step until its energies stand.
class OutcarReader {
  public:
    OutcarReader(std::string_view text, VaspRun& run)
        : text_(text), lines_(text, run.file.string()), run_(run) {}

    void read() {
        while (const auto line = next()) {
            if (!header(*line) && !step(*line)) end_of_run(*line);
        }
        if (types_.size() != counts_.size()) types_.clear();
        name_species();
        if (ended_ && !run_.steps.empty()) {
            judge_ended_run(run_, ions_converged_ ? std::optional(true) : std::nullopt);
            return;
        }
        run_.status = VaspStatus::unfinished;
        run_.notes.push_back(
            fmt::format("the file is cut off after {} complete ionic steps", run_.steps.size()));
    }

  private:
    std::optional<std::string_view> next() {
        line_begin_ = lines_.position();
        return lines_.next();
    }
    [[noreturn]] void fail(const std::string& what) const { throw_damage(text_, line_begin_, what); }

    bool header(std::string_view line) {
        VaspSettings& s = run_.settings;
        const std::string_view start = trimmed(line);
        if (start.starts_with("vasp.") && start.size() > 5 && start[5] >= '0' && start[5] <= '9') {
            if (!run_.version.empty()) fail("a second run begins in this file");
            run_.version = plain_version(start.substr(5));
            return true;
        }
        if (run_.steps.empty() && !in_step_) {
            if (const auto rest = after(line, "POTCAR:")) potcar_lines_.emplace_back(trimmed(*rest));
            if (const auto rest = after(line, "VRHFIN ="))
                types_.emplace_back(trimmed(rest->substr(0, rest->find(':'))));
            if (const auto rest = after(line, "TITEL  =")) s.titles.emplace_back(trimmed(*rest));
            if (const auto rest = after(line, "NIONS =")) run_.n_atoms = leading_integer(*rest);
            if (const auto rest = after(line, "ions per type =")) read_counts(*rest);
            for (const auto& [key, target] :
                 std::initializer_list<std::pair<std::string_view, std::optional<int>*>>{
                     {"   NSW    =", &s.steps_wanted},
                     {"   IBRION =", &s.ionic},
                     {"   ISIF   =", &s.stress},
                     {"   NELM   =", &s.max_electronic},
                     {"   ISMEAR =", &s.smearing},
                     {"   ISPIN  =", &s.spin},
                     {"   MDALGO =", &s.dynamics}})
                if (const auto rest = after(line, key)) *target = leading_integer(*rest);
            for (const auto& [key, target] :
                 std::initializer_list<std::pair<std::string_view, std::optional<double>*>>{
                     {"   ENCUT  =", &s.cutoff_ev},
                     {";   SIGMA  =", &s.sigma_ev},
                     {"   EDIFFG =", &s.force_criterion},
                     {"   POTIM  =", &s.timestep_fs}})
                if (const auto rest = after(line, key)) *target = leading_number(*rest);
        }
        if (line.find("IVDW ") != std::string_view::npos)
            if (const auto rest = after(line, "=")) s.dispersion = leading_integer(*rest);
        return false;
    }

    void read_counts(std::string_view rest) {
        const auto numbers = fortran_numbers(rest);
        if (!numbers) fail("'ions per type' is not followed by counts");
        counts_.clear();
        int n = 0;
        for (const double count : *numbers) {
            if (!(count >= 0 && n + count <= most_ions)) fail("'ions per type' is not followed by counts");
            counts_.push_back(static_cast<int>(count));
            n += counts_.back();
        }
        if (run_.n_atoms && *run_.n_atoms != n)
            fail(fmt::format("ions per type add up to {}, NIONS is {}", n, *run_.n_atoms));
        run_.n_atoms = n;
    }

    bool step(std::string_view line) {
        if (line.find("--- Iteration") != std::string_view::npos) {
            begin_iteration(line);
        } else if (line.find("free energy    TOTEN") != std::string_view::npos) {
            // One blank: of the electrons alone, without dispersion.
            free_electronic_ = leading_number(*after(line, "TOTEN"));
        } else if (line.find("free  energy   TOTEN") != std::string_view::npos) {
            partial_.energy_free_ev = leading_number(*after(line, "TOTEN"));
            if (partial_.energy_free_ev && free_electronic_)
                partial_.offset_ev = *partial_.energy_free_ev - *free_electronic_;
            has_free_energy_ = true;
        } else if (const auto rest = after(line, "energy  without entropy=")) {
            partial_.energy_ev = leading_number(*rest);
            if (const auto zero = after(line, "energy(sigma->0) ="))
                partial_.energy_zero_ev = leading_number(*zero);
            end_step();
        } else if (line.find("direct lattice vectors") != std::string_view::npos) {
            read_lattice();
        } else if (line.find("TOTAL-FORCE (eV/Angst)") != std::string_view::npos) {
            read_forces();
        } else if (const auto rest2 = after(line, "  in kB ")) {
            read_stress(*rest2);
        } else if (const auto rest3 = after(line, "number of electron")) {
            if (const auto moment = after(*rest3, "magnetization"))
                partial_.magnetization = leading_number(*moment);
        } else if (line.find("aborting loop because EDIFF is reached") != std::string_view::npos) {
            electrons_converged_ = true;
        } else if (const auto rest4 = after(line, "FORCES: max atom, RMS")) {
            // Printed before or behind the energies of the step whose table stands last.
            (has_table_ ? partial_ : last_or_partial()).max_free_force_ev_per_angstrom =
                leading_number(*rest4);
        } else {
            return dynamics(line);
        }
        return true;
    }

    /// The block behind the energies of a step of a dynamics.
    bool dynamics(std::string_view line) {
        if (run_.steps.empty() || in_step_) return false;
        VaspStep& step = run_.steps.back();
        if (const auto rest = after(line, "kinetic energy EKIN   =")) {
            step.kinetic_ev = leading_number(*rest);
        } else if (const auto total = after(line, "total energy   ETOTAL =")) {
            step.conserved_ev = leading_number(*total);
            return true;
        }
        if (const auto rest = after(line, "(temperature")) step.temperature_k = leading_number(*rest);
        return line.find("EKIN") != std::string_view::npos;
    }

    void end_of_run(std::string_view line) {
        if (line.find("reached required accuracy - stopping") != std::string_view::npos)
            ions_converged_ = true;
        if (line.find("General timing and accounting") != std::string_view::npos) ended_ = true;
    }

    VaspStep& last_or_partial() { return run_.steps.empty() ? partial_ : run_.steps.back(); }

    void begin_iteration(std::string_view line) {
        const std::string_view rest = *after(line, "Iteration");
        const auto ionic = leading_integer(rest);
        const std::size_t bracket = rest.find('(');
        const auto electronic =
            bracket == std::string_view::npos ? std::nullopt : leading_integer(rest.substr(bracket + 1));
        if (ionic && electronic) {
            // Ionic and electronic counters of one writer never go back.
            if (*ionic < last_ionic_ ||
                (*ionic == last_ionic_ && *electronic <= last_electronic_ && in_step_))
                fail(fmt::format("iteration {}({}) follows {}({}) (several programs wrote into one file?)",
                                 *ionic, *electronic, last_ionic_, last_electronic_));
            last_ionic_ = *ionic;
            last_electronic_ = *electronic;
        }
        if (!in_step_) {
            in_step_ = true;
            const Eigen::Matrix3d lattice = partial_.lattice_angstrom;
            partial_ = VaspStep{};
            partial_.lattice_angstrom = lattice;
            has_table_ = has_free_energy_ = electrons_converged_ = false;
        }
        ++partial_.n_electronic;
    }

    void end_step() {
        if (!has_table_ || !has_free_energy_) return;  // e.g. the initial evaluation of some algorithms
        if (!has_lattice_) fail("an ionic step without lattice vectors");
        partial_.electrons_converged = electrons_converged_ || !run_.settings.max_electronic ||
                                       partial_.n_electronic < *run_.settings.max_electronic;
        run_.steps.push_back(partial_);
        in_step_ = has_table_ = has_free_energy_ = false;
    }

    void read_lattice() {
        for (int k = 0; k < 3; ++k) {
            const auto line = next();
            if (!line) return;
            const auto numbers = fortran_numbers(*line, 9, 13);
            if (!numbers || numbers->size() < 3)
                return lines_.ended_with_newline() ? fail("no lattice vector") : void();
            for (int axis = 0; axis < 3; ++axis)
                lattice_(axis, k) = (*numbers)[static_cast<std::size_t>(axis)];
        }
        if (!lattice_.allFinite()) fail("lattice vectors that are no numbers");
        partial_.lattice_angstrom = lattice_;
        has_lattice_ = true;
    }

    void read_forces() {
        if (!run_.n_atoms) fail("a table of forces before the number of ions");
        const auto is_rule = [](std::string_view line) { return trimmed(line).starts_with("-----"); };
        auto line = next();
        if (!line) return;
        if (!is_rule(*line)) fail("no rule above the table of forces");
        std::vector<double> rows;
        while ((line = next()) && !is_rule(*line)) {
            const auto numbers = table_row(*line);
            if (numbers.size() != 6) {
                if (lines_.bytes_left() == 0) return;  // cut off inside the row
                fail(fmt::format("'{}' is not a position and a force", trimmed(*line)));
            }
            rows.insert(rows.end(), numbers.begin(), numbers.end());
        }
        if (!line) return;
        const Eigen::Map<const Eigen::MatrixXd> table(rows.data(), 6,
                                                      static_cast<Eigen::Index>(rows.size() / 6));
        if (table.cols() != *run_.n_atoms)
            fail(fmt::format("the table of forces has {} rows for {} ions", table.cols(), *run_.n_atoms));
        if (!table.topRows(3).allFinite()) fail("positions that are no numbers");
        partial_.positions_angstrom = table.topRows(3);
        partial_.forces_ev_per_angstrom = table.bottomRows(3);
        has_table_ = true;
    }

    /// Position with 5 and force with 6 digits behind the point.
    static std::vector<double> table_row(std::string_view line) {
        constexpr std::size_t positions_width = 39;  // 3 F13.5
        const std::size_t split = std::min(positions_width, line.size());
        auto position = fortran_numbers(line.substr(0, split), 5, 13);
        const auto force = fortran_numbers(line.substr(split), 6, 14);
        if (position && force && position->size() == 3 && force->size() == 3) {
            position->insert(position->end(), force->begin(), force->end());
            return *position;
        }
        return fortran_numbers(line).value_or(std::vector<double>{});
    }

    void read_stress(std::string_view rest) {
        const auto v = fortran_numbers(rest, 5, 12);
        if (!v || v->size() != 6) return;
        Eigen::Matrix3d stress;  // XX YY ZZ XY YZ ZX
        stress << (*v)[0], (*v)[3], (*v)[5], (*v)[3], (*v)[1], (*v)[4], (*v)[5], (*v)[4], (*v)[2];
        if (stress.allFinite()) partial_.stress_kbar = stress;
    }

    /// Species from VRHFIN, else from TITEL, else from the POTCAR lines above them (each given once or
    /// twice).
    void name_species() {
        const std::size_t n = counts_.size();
        std::vector<std::string> symbols = types_;
        const auto from_titles = [&](const std::vector<std::string>& titles) {
            symbols.clear();
            for (const std::string& title : titles) {
                const auto parts = words(title);
                if (parts.size() > 1) symbols.emplace_back(parts[1].substr(0, parts[1].find('_')));
            }
        };
        if (symbols.size() != n) from_titles(run_.settings.titles);
        if (symbols.size() != n) {
            from_titles(potcar_lines_);
            if (symbols.size() == 2 * n) symbols.resize(n);
        }
        if (n == 0 || symbols.size() != n) return;
        for (std::size_t k = 0; k < n; ++k)
            run_.species.insert(run_.species.end(), static_cast<std::size_t>(counts_[k]), symbols[k]);
    }

    std::string_view text_;
    LineReader lines_;
    VaspRun& run_;
    std::size_t line_begin_ = 0;
    std::vector<std::string> types_, potcar_lines_;
    std::vector<int> counts_;
    VaspStep partial_;
    std::optional<double> free_electronic_;
    Eigen::Matrix3d lattice_ = Eigen::Matrix3d::Zero();
    int last_ionic_ = 0, last_electronic_ = 0;
    bool in_step_ = false, has_table_ = false, has_free_energy_ = false, has_lattice_ = false;
    bool electrons_converged_ = false, ions_converged_ = false, ended_ = false;
};

}  // namespace

void read_outcar(std::string_view text, VaspRun& run) {
    if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
        throw_damage(text, zero, "zero bytes, which no run writes (a disk or file system error)");
    OutcarReader(text, run).read();
}

}  // namespace stembridge::io
