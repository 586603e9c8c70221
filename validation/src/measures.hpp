// SPDX-License-Identifier: Apache-2.0
// The computations a case can ask for, each a function from the case's setup to numbers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "case.hpp"
#include "stembridge/base/context.hpp"
#include "stembridge/md/relax.hpp"
#include "stembridge/structure/builders.hpp"
#include "stembridge/structure/calculator.hpp"
#include "stembridge/tb/scc_dftb.hpp"

namespace stembridge::validation {

/// A structure at rest in the lowest of its spin states.
struct SpinState {
    double energy = 0;               ///< at zero electronic temperature, hartree
    std::optional<double> unpaired;  ///< electrons; nothing: the moment was free
};

/// What every computation works with.
class Laboratory {
  public:
    Laboratory(std::vector<std::filesystem::path> parameters, Context context)
        : parameters_(std::move(parameters)), context_(std::move(context)) {}

    /// Options with the case's k-points (of structures that repeat) and electronic temperature.
    tb::SccDftbOptions options(const io::Config& setup, const tb::SpinOptions& spin = {}) const;
    /// SCC-DFTB for structures like those of the case.
    std::unique_ptr<Calculator> calculator(const io::Config& setup, const Structure& structure,
                                           const tb::SpinOptions& spin = {}) const;
    /// Relaxes to the case's force. @throw NumericalError when that fails, naming what was relaxed
    md::RelaxResult relax(const io::Config& setup, Structure& structure, Calculator& calculator,
                          const std::string& what, md::CellRelaxation cell = md::CellRelaxation::none) const;
    /// Relaxed energy at zero electronic temperature, hartree.
    double relaxed_energy(const io::Config& setup, Structure& structure, const std::string& what,
                          const tb::SpinOptions& spin = {}) const;
    /// Relaxes from one start with each of some numbers of unpaired electrons (nothing: a free moment) and
    /// takes the lowest: a free moment alone can end in a solution without spin, by where it starts.
    /// @throw NumericalError when none of them relaxes
    SpinState lowest_spin_state(const io::Config& setup, Structure& structure, const std::string& what,
                                const std::vector<std::optional<double>>& unpaired) const;
    const Context& context() const { return context_; }

  private:
    std::vector<std::filesystem::path> parameters_;
    Context context_;
};

/// @throw Error when the computation fails
using Measure = std::function<Findings(const io::Config& setup, const Laboratory& laboratory)>;

/// Every computation by the name that case.toml uses.
const std::map<std::string, Measure>& measures();

/// Lattice constant, C-C, elastic constants of graphene.
Findings measure_graphene(const io::Config& setup, const Laboratory& laboratory);
/// C-C and C-H bonds of a flake ended with H.
Findings measure_flake(const io::Config& setup, const Laboratory& laboratory);
/// Optical vibrations of graphene at Gamma.
Findings measure_phonons(const io::Config& setup, const Laboratory& laboratory);
/// Formation energies of Stone-Wales, vacancy, 5-8-5, 555-777.
Findings measure_defects(const io::Config& setup, const Laboratory& laboratory);
/// Barrier of the Stone-Wales rotation, there and back.
Findings measure_rotation(const io::Config& setup, const Laboratory& laboratory);
/// Si in place of one atom and of two.
Findings measure_silicon(const io::Config& setup, const Laboratory& laboratory);
/// Cr over hollow, bridge and top of graphene, with and without spin.
Findings measure_chromium(const io::Config& setup, const Laboratory& laboratory);
/// Binding of CH, CH2, CH3 on graphene.
Findings measure_groups(const io::Config& setup, const Laboratory& laboratory);
/// What becomes of a flake with a 5-7-7-5 defect at several temperatures.
Findings measure_stability(const io::Config& setup, const Laboratory& laboratory);

/// Periodic sheet of the case's cells and bond length.
Structure sheet_of(const io::Config& setup);
/// The bond of the atoms nearest to the middle, for defects.
Bond middle_bond(const Structure& structure);
/// A picture of a structure with its rings. @param name unique within the case
io::Figure picture_of(const Structure& structure, const std::string& name, const std::string& caption);

}  // namespace stembridge::validation
